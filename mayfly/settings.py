"""The settings, read once from the environment.

The field `data` is the variable MAYFLY_DATA. Its description and default become a row of docs/settings.md.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from mayfly.errors import SettingInvalid
from mayfly.jobs.costs import Prices
from mayfly.jobs.places import Place, parse_places

_PREFIX = "MAYFLY_"
_REQUIRED = "is required when MAYFLY_RUNTIME=aci (see docs/settings.md)"


def _setting(description: str, default: Any = ..., *, shown: str | None = None, **options: Any) -> Any:
    """Declare a setting. `shown` is the text for its default on the page, if the value alone would not explain it."""
    return Field(default, description=description, json_schema_extra={"shown": shown} if shown else None, **options)


def _count(text: Any) -> Any:
    if isinstance(text, str) and not (text.isdecimal() and int(text) >= 1):
        raise ValueError(f"must be a whole number of at least 1 (got {text!r})")
    return text


def _price(text: Any) -> float:
    try:
        price = float(text)
    except ValueError:
        price = -1.0
    if not 0 <= price < 1e6:
        raise ValueError(f"must be a price in USD of 0 or more (got {text!r})")
    return price


def _required(text: str) -> str:
    if not text.strip():
        raise ValueError(_REQUIRED)
    return text.strip()


def _key(key: bytes) -> bytes:
    from mayfly.report_tokens import KEY_BYTES_MIN  # not at the top: readers of the stores need no cryptography

    if key.startswith(b"@Microsoft.KeyVault("):
        # The platform leaves a reference in place if it cannot resolve it.
        raise ValueError("is a Key Vault reference that was not resolved: see docs/deploy.md")
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"must have at least {KEY_BYTES_MIN} bytes (got {len(key)})")
    return key


Address = Annotated[str, AfterValidator(lambda text: text.rstrip("/"))]
Count = Annotated[int, BeforeValidator(_count)]
Price = Annotated[float, BeforeValidator(_price)]
Required = Annotated[str, BeforeValidator(_required)]
MaybeText = Annotated[str | None, AfterValidator(lambda text: text or None)]
"""An empty variable counts as one that is not set."""


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, enable_decoding=False, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[Any, ...]:
        """Take the values that `_read` passes, and no others."""
        return (sources["init_settings"],)


class StoreSettings(_Environment):
    """The location of the stores and the price of containers: everything that a reader needs."""

    data: Annotated[Path, AfterValidator(Path.absolute)] = _setting(
        "folder for local stores, containers and keys", Path(".mayfly")
    )
    store: Literal["sqlite", "cosmos"] = _setting("`sqlite`, or `cosmos` for Cosmos DB", "sqlite")
    cosmos_endpoint: str | None = _setting(
        "address of the account: `https://NAME.documents.azure.com:443/`", None, shown="required with `cosmos`"
    )
    """None unless `store` is `cosmos`."""
    cosmos_key: MaybeText = _setting(
        "account key, for emulators; in Azure, keys are disabled",
        None,
        shown="none: the identity of the process",
        repr=False,
    )
    runtime: Literal["processes", "aci"] = _setting("`processes` on this machine, or `aci`", "processes")
    cpu_hour_usd: Price = _setting("with `aci`: price of one core for one hour, for cost estimates", 0.0405)
    memory_gb_hour_usd: Price = _setting("with `aci`: price of one GB of memory for one hour", 0.00445)

    @field_validator("cosmos_endpoint")
    @classmethod
    def _address_of_the_account(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("store") != "cosmos":
            return None
        if not (value or "").startswith(("https://", "http://")):
            example = "https://name.documents.azure.com:443/"
            raise ValueError(f"must be an address such as {example} (got {value or ''!r})")
        return value

    @property
    def prices(self) -> Prices:
        """The price of a container; a process of this machine is free."""
        if self.runtime == "processes":
            return Prices(cpu_hour=0.0, memory_gb_hour=0.0)
        return Prices(cpu_hour=self.cpu_hour_usd, memory_gb_hour=self.memory_gb_hour_usd)


class Settings(StoreSettings):
    """The settings of the function app; `AciSettings` if container groups run in Azure."""

    public_url: Address = _setting("address that workers report to, without `/api`", "http://127.0.0.1:7071")
    report_key: Annotated[bytes, AfterValidator(_key)] = _setting(
        "key that signs report tokens; at least 32 bytes",
        default_factory=lambda settings: _generated_key(settings["data"]),
        shown="generated in `MAYFLY_DATA` on first use",
        repr=False,
    )
    groups_max: Count = _setting("maximum number of local container groups; further jobs are held", 100)
    key_vault: MaybeText = _setting(
        "address of the Key Vault that secret references resolve in", None, shown="none: `MAYFLY_SECRET_*` variables"
    )

    @property
    def worker_command(self) -> tuple[str, ...]:
        """The command that starts a worker on this machine."""
        # The path of the file: starting the folder instead would cost one more import each time.
        return (sys.executable, "-I", "-S", str(Path(__file__).parent.parent / "worker" / "__main__.py"))


class AciSettings(Settings):
    """The settings of a function app that runs container groups on Azure Container Instances."""

    subscription: Required = _setting("subscription id")
    resource_group: Required = _setting("resource group for container groups; use it for nothing else")
    places: Annotated[tuple[Place, ...], BeforeValidator(parse_places), BeforeValidator(_required)] = _setting(
        "places in order of preference, each `region[:spot][:cpu:memory_gb]`: `swedencentral,westeurope:spot:4:16`"
    )
    worker_image: Required = _setting("image for jobs that do not name one")
    worker_identity: MaybeText = _setting("resource id of the identity that pulls from Azure Container Registry", None)
    subnet: MaybeText = _setting(
        "resource id of a subnet delegated to container groups; spot places do not use it", None
    )
    log_workspace: MaybeText = _setting("id of a Log Analytics workspace for the containers' output", None)
    log_workspace_key: MaybeText = _setting("key of that workspace", None, repr=False)
    metrics: Literal["on", "off"] = _setting("`off`: do not read metrics from Azure Monitor", "on")
    metrics_audience: Address = _setting(
        "token audience for metrics; differs in sovereign clouds", "https://metrics.monitor.azure.com"
    )
    arm_endpoint: Address = _setting(
        "Resource Manager endpoint; `http://` addresses, for tests, get no token", "https://management.azure.com"
    )


class QueueSettings(_Environment):
    """The queue that jobs are received from."""

    queue: MaybeText = _setting(
        "queue to receive jobs from; without it, no queue is read", None, shown="none; `jobs` with `mayfly up`"
    )


Model = TypeVar("Model", bound=_Environment)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the function app: `AciSettings` with MAYFLY_RUNTIME=aci.

    Shapes: `environment` replaces the variables of this process.
    Errors: `SettingInvalid`, with every mistake.
    """
    settings = _read(Settings, environment)
    return settings if settings.runtime == "processes" else _read(AciSettings, environment)


def read_store_settings(environment: Mapping[str, str] | None = None) -> StoreSettings:
    """Read the location of the stores and the price of containers. Errors: `SettingInvalid`, with every mistake."""
    return _read(StoreSettings, environment)


def queue_name() -> str | None:
    """Return the name of the queue that jobs are received from; None: there is no queue."""
    return _read(QueueSettings, None).queue


def _read(model: type[Model], environment: Mapping[str, str] | None) -> Model:
    source = EnvSettingsSource(model)
    if environment is not None:
        source.env_vars = {name.lower(): value for name, value in environment.items()}
    try:
        return model(**source())
    except ValidationError as error:
        # The cause is left out: it quotes the values, which may be keys.
        raise SettingInvalid("; ".join(_mistakes(model, error))) from None


def _mistakes(model: type[_Environment], error: ValidationError) -> Iterable[str]:
    for mistake in error.errors(include_url=False):
        if mistake["type"] != "default_factory_not_called":  # the consequence of another mistake
            field = str(mistake["loc"][0])
            yield f"{_PREFIX}{field.upper()} {_message(model.model_fields[field], mistake)}"


def _message(field: FieldInfo, mistake: ErrorDetails) -> str:
    match mistake["type"]:
        case "missing":
            return _REQUIRED
        case "literal_error":
            return f"must be one of {', '.join(get_args(field.annotation))} (got {mistake['input']!r})"
        case "value_error":
            return str(mistake["ctx"]["error"])
        case _:
            return mistake["msg"]


def _generated_key(data: Path) -> bytes:
    """Return the key in the data folder; the first call generates it."""
    path = data / "report.key"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        data.mkdir(parents=True, exist_ok=True)
    # A random name: two containers that share the folder may have the same process id.
    draft = data / f"report.key.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    with contextlib.suppress(FileExistsError):  # another process was faster: use its key
        os.link(draft, path)
    draft.unlink()
    return path.read_bytes()
