"""Jobs of every kind while the host is killed again and again, as `make chaos` runs it; the run checks itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drills.orphans import processes_of_jobs, processes_on

pytestmark = pytest.mark.timeout(400)

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--jobs", "100", "--kills", "20"), id="killed 20 times"),
        pytest.param(("--jobs", "60", "--kills", "7", "--lose-task-hub"), id="task hub and views lost"),
    ],
)
def test_every_job_ends_as_it_must(options: tuple[str, ...], tmp_path: Path) -> None:
    data = tmp_path / "data"

    ran = subprocess.run(
        [sys.executable, "-m", "mayfly", "chaos", "--data", str(data), *options],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )

    print(ran.stdout)  # the seed is in its first line
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert sum(line.startswith("✔") for line in lines) == 11
    assert not any(line.startswith("✘") for line in lines)
    assert ("task hub and views are deleted" in ran.stdout) == ("--lose-task-hub" in options)
    assert "chaos passed" in lines[-1]
    assert not processes_on(data)
    assert not processes_of_jobs(data)
