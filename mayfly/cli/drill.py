"""`mayfly demo` and `mayfly chaos`: the drills of a checkout, which an installed package does not contain."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from mayfly.cli.extras import require
from mayfly.client.errors import BadRequest

_CHECKOUT = Path(__file__).parents[2]


def demo(context: typer.Context) -> None:
    """Run six real jobs and check how each job ends."""
    _run("demo", context.args)


def chaos(context: typer.Context) -> None:
    """Run jobs, kill the host repeatedly, and check how each job ends."""
    _run("chaos", context.args)


def _run(drill: str, arguments: list[str]) -> None:
    if not (_CHECKOUT / "drills" / "__main__.py").exists():
        fix = f"clone Mayfly and run `make {drill}` there"
        raise BadRequest(f"mayfly {drill} runs only in a checkout of Mayfly", [fix])
    require("host")
    if str(_CHECKOUT) not in sys.path:
        sys.path.insert(0, str(_CHECKOUT))
    from drills.__main__ import app

    raise typer.Exit(app([drill, *arguments], prog_name="mayfly", standalone_mode=False) or 0)
