"""The command line. It uses the HTTP API, and runs a host on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit with its code; see `mayfly.client.errors` for the codes.

    The base install has this command but not its packages. In that case, the command prints one sentence with the fix.
    """
    if missing := [name for name in ("typer", "rich") if find_spec(name) is None]:
        sys.exit(
            f"error: the mayfly command needs {' and '.join(missing)}; install the extra [cli], as in"
            " pip install '.[cli]' in a checkout of Mayfly"
        )
    from mayfly.cli.app import main as run

    run(arguments)
