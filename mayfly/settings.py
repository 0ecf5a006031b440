"""The settings, read once from the environment. docs/settings.md lists them; `settings_table` is its source."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mayfly.errors import SettingInvalid
from mayfly.jobs.places import Place, parse_places


@dataclass(frozen=True, kw_only=True)
class AciSettings:
    """What is needed where container groups run on Azure Container Instances."""

    arm_endpoint: str
    subscription: str
    resource_group: str
    places: tuple[Place, ...]
    worker_image: str
    worker_identity: str | None
    subnet: str | None
    log_workspace: str | None
    log_workspace_key: str | None = field(repr=False)
    metrics: bool
    metrics_audience: str
    cpu_hour_usd: float
    memory_gb_hour_usd: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the composition root needs to know."""

    data: Path
    store: str
    cosmos_endpoint: str | None
    """Set where the store is `cosmos`."""
    cosmos_key: str | None = field(repr=False)
    """None: `DefaultAzureCredential`."""
    runtime: str
    public_url: str
    report_key: bytes = field(repr=False)
    groups_max: int
    worker_command: tuple[str, ...]
    key_vault: str | None = None
    aci: AciSettings | None = None
    """None: container groups are processes of this machine."""


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """Where the stores are: all that a reader needs."""

    data: Path
    store: str
    cosmos_endpoint: str | None = None
    """Set where the store is `cosmos`."""
    cosmos_key: str | None = field(default=None, repr=False)
    """An emulator's; None: `DefaultAzureCredential`."""
    cpu_hour_usd: float = 0.0
    """0 where containers are processes, which cost nothing."""
    memory_gb_hour_usd: float = 0.0


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Errors: `SettingInvalid`.
    """
    env = os.environ if environment is None else environment
    data = Path(env.get("MAYFLY_DATA", ".mayfly")).absolute()
    store = _one_of(env, "MAYFLY_STORE", ("sqlite", "cosmos"))
    runtime = _one_of(env, "MAYFLY_RUNTIME", ("processes", "aci"))
    return Settings(
        data=data,
        store=store,
        cosmos_endpoint=_address(env, "MAYFLY_COSMOS_ENDPOINT") if store == "cosmos" else None,
        cosmos_key=env.get("MAYFLY_COSMOS_KEY") or None,
        runtime=runtime,
        public_url=env.get("MAYFLY_PUBLIC_URL", "http://127.0.0.1:7071").rstrip("/"),
        report_key=_report_key(env.get("MAYFLY_REPORT_KEY"), data),
        groups_max=_positive(env, "MAYFLY_GROUPS_MAX", 100),
        # The file and not its folder, which would cost an import more at every start.
        worker_command=(sys.executable, "-I", "-S", str(Path(__file__).parent.parent / "worker" / "__main__.py")),
        key_vault=env.get("MAYFLY_KEY_VAULT") or None,
        aci=_aci(env) if runtime == "aci" else None,
    )


def _aci(env: Mapping[str, str]) -> AciSettings:
    return AciSettings(
        arm_endpoint=env.get("MAYFLY_ARM_ENDPOINT", "https://management.azure.com").rstrip("/"),
        subscription=_required(env, "MAYFLY_SUBSCRIPTION"),
        resource_group=_required(env, "MAYFLY_RESOURCE_GROUP"),
        places=_places(_required(env, "MAYFLY_PLACES")),
        worker_image=_required(env, "MAYFLY_WORKER_IMAGE"),
        worker_identity=env.get("MAYFLY_WORKER_IDENTITY") or None,
        subnet=env.get("MAYFLY_SUBNET") or None,
        log_workspace=env.get("MAYFLY_LOG_WORKSPACE") or None,
        log_workspace_key=env.get("MAYFLY_LOG_WORKSPACE_KEY") or None,
        metrics=_one_of(env, "MAYFLY_METRICS", ("on", "off")) == "on",
        metrics_audience=env.get("MAYFLY_METRICS_AUDIENCE", "https://metrics.monitor.azure.com").rstrip("/"),
        cpu_hour_usd=_cpu_hour_usd(env),
        memory_gb_hour_usd=_memory_gb_hour_usd(env),
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise SettingInvalid(f"{name} is required when MAYFLY_RUNTIME=aci; see docs/settings.md")
    return value


def _places(text: str) -> tuple[Place, ...]:
    try:
        return parse_places(text)
    except ValueError as error:
        raise SettingInvalid(f"MAYFLY_PLACES {error}") from error


def _cpu_hour_usd(env: Mapping[str, str]) -> float:
    return _price(env, "MAYFLY_CPU_HOUR_USD", 0.0405)


def _memory_gb_hour_usd(env: Mapping[str, str]) -> float:
    return _price(env, "MAYFLY_MEMORY_GB_HOUR_USD", 0.00445)


def _price(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    try:
        price = float(text)
    except ValueError:
        price = -1.0
    if not 0 <= price < 1e6:
        raise SettingInvalid(f"{name} must be a price in USD of 0 or more (got {text!r})")
    return price


def read_store_settings(environment: Mapping[str, str] | None = None) -> StoreSettings:
    """Read where the stores are, and what containers cost there.

    Errors: `SettingInvalid`.
    """
    env = os.environ if environment is None else environment
    data = Path(env.get("MAYFLY_DATA", ".mayfly")).absolute()
    store = _one_of(env, "MAYFLY_STORE", ("sqlite", "cosmos"))
    bills = _one_of(env, "MAYFLY_RUNTIME", ("processes", "aci")) == "aci"
    return StoreSettings(
        data=data,
        store=store,
        cosmos_endpoint=_address(env, "MAYFLY_COSMOS_ENDPOINT") if store == "cosmos" else None,
        cosmos_key=env.get("MAYFLY_COSMOS_KEY") or None,
        cpu_hour_usd=_cpu_hour_usd(env) if bills else 0.0,
        memory_gb_hour_usd=_memory_gb_hour_usd(env) if bills else 0.0,
    )


def _one_of(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = env.get(name, choices[0])
    if value not in choices:
        raise SettingInvalid(f"{name} must be one of {', '.join(choices)} (got {value!r})")
    return value


def _address(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value.startswith(("https://", "http://")):
        raise SettingInvalid(f"{name} must be an address such as https://name.documents.azure.com:443/ (got {value!r})")
    return value


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise SettingInvalid(f"{name} must be a whole number of at least 1 (got {text!r})")
    return int(text)


def _report_key(given: str | None, data: Path) -> bytes:
    """Return the key that was given, or the one in the data folder, which is made on first use."""
    if given is not None:
        if given.startswith("@Microsoft.KeyVault("):
            # What the platform leaves in place of a reference that it could not resolve; it is no secret.
            raise SettingInvalid("MAYFLY_REPORT_KEY is a Key Vault reference that was not resolved: see docs/deploy.md")
        return given.encode()
    path = data / "report.key"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        data.mkdir(parents=True, exist_ok=True)
    # A name of chance: two containers that share the folder may well have the same process id.
    draft = data / f"report.key.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    with contextlib.suppress(FileExistsError):  # another process was quicker: its key stands
        os.link(draft, path)
    draft.unlink()
    return path.read_bytes()
