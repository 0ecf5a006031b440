"""The settings, read once from the environment; each with its default and its meaning.

| variable | default | meaning |
|---|---|---|
| MAYFLY_DATA | .mayfly | where local stores, containers and keys live |
| MAYFLY_STORE | sqlite | where log and views are kept |
| MAYFLY_RUNTIME | processes | what runs container groups |
| MAYFLY_PUBLIC_URL | http://127.0.0.1:7071 | the address that workers report to, without `/api` |
| MAYFLY_REPORT_KEY | made on first use in MAYFLY_DATA | signs report tokens; at least 32 bytes |
| MAYFLY_GROUPS_MAX | 100 | local container groups at one time; more jobs are held |
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the composition root needs to know."""

    data: Path
    store: str
    runtime: str
    public_url: str
    report_key: bytes = field(repr=False)
    groups_max: int
    worker_command: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """Where the stores are: all that a reader needs, and no secret."""

    data: Path
    store: str


class SettingInvalid(ValueError):
    """A variable holds what it cannot; the text names it and the mend."""


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Errors: `SettingInvalid`.
    """
    env = os.environ if environment is None else environment
    data = Path(env.get("MAYFLY_DATA", ".mayfly")).absolute()
    return Settings(
        data=data,
        store=_one_of(env, "MAYFLY_STORE", ("sqlite",)),
        runtime=_one_of(env, "MAYFLY_RUNTIME", ("processes",)),
        public_url=env.get("MAYFLY_PUBLIC_URL", "http://127.0.0.1:7071").rstrip("/"),
        report_key=_report_key(env.get("MAYFLY_REPORT_KEY"), data),
        groups_max=_positive(env, "MAYFLY_GROUPS_MAX", 100),
        # The file and not its folder, which would cost an import more at every start.
        worker_command=(sys.executable, "-I", "-S", str(Path(__file__).parent.parent / "worker" / "__main__.py")),
    )


def read_store_settings(environment: Mapping[str, str] | None = None) -> StoreSettings:
    """Read where the stores are.

    Errors: `SettingInvalid`.
    """
    env = os.environ if environment is None else environment
    data = Path(env.get("MAYFLY_DATA", ".mayfly")).absolute()
    return StoreSettings(data=data, store=_one_of(env, "MAYFLY_STORE", ("sqlite",)))


def _one_of(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = env.get(name, choices[0])
    if value not in choices:
        raise SettingInvalid(f"{name} must be one of {', '.join(choices)} (got {value!r})")
    return value


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise SettingInvalid(f"{name} must be a whole number of at least 1 (got {text!r})")
    return int(text)


def _report_key(given: str | None, data: Path) -> bytes:
    """Return the key that was given, or the one in the data folder, which is made on first use."""
    if given is not None:
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
