"""Parts of Mayfly that need an extra of the package, and the error if it is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from mayfly.client.errors import BadRequest
from mayfly.settings import AciSettings, Settings

_PARTS = {"host": ("the local host", "uvicorn"), "dashboard": ("the dashboard", "streamlit")}
"""By extra: its purpose, and a package that shows that it is installed."""


def require(extra: Literal["host", "dashboard"]) -> None:
    """Check that an extra is installed. Errors: `BadRequest`, with the command that installs it."""
    part, package = _PARTS[extra]
    if find_spec(package) is None:
        fix = f"install the extra [{extra}], as in pip install '.[cli,host,dashboard]' in a checkout of Mayfly"
        raise BadRequest(f"{part} needs packages that are not installed, such as {package}", [fix])


def require_adapters(settings: Settings) -> None:
    """Check that the packages for the Azure services in the settings are installed. Errors: as in `require`."""
    chosen = {
        "azure.cosmos": settings.cosmos_endpoint,
        "azure.keyvault.secrets": settings.key_vault,
        "azure.mgmt.containerinstance": isinstance(settings, AciSettings) or None,
    }
    if missing := [name for name, setting in chosen.items() if setting is not None and not _is_installed(name)]:
        fix = "install the extra [function-app], as in pip install '.[function-app]' in a checkout of Mayfly"
        raise BadRequest(f"your settings need packages that are not installed: {', '.join(missing)}", [fix])


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False
