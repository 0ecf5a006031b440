"""`mayfly demo` and `mayfly chaos`: the drills of a checkout, which the installed package does not contain."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from mayfly.cli.extras import require
from mayfly.client.errors import BadRequest

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""The drill itself parses the options, `--help` included."""

_CHECKOUT = Path(__file__).parents[2]


def demo(context: typer.Context) -> None:
    """Run six real jobs on this machine and check how each ends."""
    _run("demo", context.args)


def chaos(context: typer.Context) -> None:
    """Run jobs while the host is killed again and again, and check how each ends."""
    _run("chaos", context.args)


def _run(drill: str, arguments: list[str]) -> None:
    if not (_CHECKOUT / "drills" / "__main__.py").exists():
        raise BadRequest(
            f"mayfly {drill} runs only in a checkout of Mayfly", [f"clone it, and run `make {drill}` there"]
        )
    require("host")
    if str(_CHECKOUT) not in sys.path:
        sys.path.insert(0, str(_CHECKOUT))
    from drills.__main__ import app

    raise typer.Exit(app([drill, *arguments], prog_name="mayfly", standalone_mode=False) or 0)
