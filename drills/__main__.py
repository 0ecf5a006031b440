"""Run a drill: `python -m drills demo`, `python -m drills chaos`."""

from __future__ import annotations

import typer

from drills import chaos, demo

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command("demo")(demo.demo)
app.command("chaos")(chaos.chaos)

if __name__ == "__main__":
    from mayfly.cli.app import run

    run(app)
