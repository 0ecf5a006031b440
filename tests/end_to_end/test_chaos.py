"""Jobs of every kind while the host is killed again and again, as `make chaos` runs it; the run checks itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from drills.orphans import processes_of_jobs, processes_on

_ROOT = Path(__file__).parents[2]
_OPTIONS = ("--jobs", "20", "--kills", "3", "--lose-task-hub")


def test_every_job_ends_as_expected(tmp_path: Path) -> None:
    """A short run, and one with the most losses; `make soak` has long ones."""
    data = tmp_path / "data"

    ran = subprocess.run(
        [sys.executable, "-m", "mayfly", "chaos", "--data", str(data), *_OPTIONS],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    print(ran.stdout)  # the seed is in its first line
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert sum(line.startswith("✔") for line in lines) == 11
    assert not any(line.startswith("✘") for line in lines)
    assert "the task hub and the views are deleted" in ran.stdout
    assert "chaos passed" in lines[-1]
    assert not processes_on(data)
    assert not processes_of_jobs(data)
