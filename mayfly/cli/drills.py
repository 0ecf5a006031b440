"""`mayfly demo` and `mayfly chaos`: their options. The drills themselves are imported only when they are run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mayfly.cli.extras import require

_Data = Annotated[Path | None, typer.Option("--data", help="An empty folder to use and to keep; else a temporary one.")]


def demo(data: _Data = None) -> None:
    """Run six real jobs on this machine, good and bad, and check how each ends."""
    require("host")
    from mayfly.cli.demo import run_demo

    run_demo(data)


def chaos(
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=10_000, help="So many jobs.")] = 100,
    kills: Annotated[int, typer.Option("--kills", min=0, max=1_000, help="Kill the host so many times.")] = 20,
    seed: Annotated[int | None, typer.Option("--seed", help="Draw the same jobs and moments again.")] = None,
    lose_task_hub: Annotated[bool, typer.Option("--lose-task-hub", help="Delete task hub and views half way.")] = False,
    data: _Data = None,
) -> None:
    """Run jobs of every kind while the host is killed again and again, and check how each ends."""
    require("host")
    from mayfly.cli.chaos import run_chaos

    run_chaos(jobs=jobs, kills=kills, seed=seed, lose_task_hub=lose_task_hub, data=data)
