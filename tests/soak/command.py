"""A command that a drill runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.soak.drills import Soak

_ROOT = Path(__file__).parents[2]


def run_module(
    soak: Soak, module: str, *options: str, environment: Mapping[str, str] | None = None
) -> tuple[int, Sequence[str]]:
    """Run a Python module and show the progress. Return the exit code and the lines of the output."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options],
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            lines.append(line)
            soak.progress(line.strip() or "running")
    return process.wait(), lines


def run_pytest(
    soak: Soak, marked: str, *options: str, environment: Mapping[str, str] | None = None
) -> tuple[int, Sequence[str]]:
    """Run the tests with these marks, as `run_module` does."""
    quiet = ("-q", "--no-header", "--tb=short", "--timeout=0", "-p", "no:cacheprovider")
    return run_module(soak, "pytest", "-m", marked, *quiet, *options, environment=environment)
