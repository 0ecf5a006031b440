"""The parts of Mayfly that come with an extra of the package, and the error for one that is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from mayfly.cli.errors import Wrong

_PARTS = {"host": ("the local host", "uvicorn"), "dashboard": ("the dashboard", "streamlit")}
"""What each extra is for, and a package by which it is recognized."""


def require(extra: Literal["host", "dashboard"]) -> None:
    """Check that an extra is installed.

    Errors: `Wrong`, with the command that installs it.
    """
    part, package = _PARTS[extra]
    if find_spec(package) is None:
        raise Wrong(
            f"{part} needs packages that are not installed, {package} among them",
            [f"install the extra [{extra}], as in pip install '.[cli,host,dashboard]' in a checkout of Mayfly"],
        )
