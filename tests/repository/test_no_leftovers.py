"""CI fails when a process is left behind, however it hides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "no_leftovers.py"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, as CI does on Linux")


def run(script: str, *, grace_s: float = 0.5) -> subprocess.CompletedProcess[str]:
    """Run a shell script under no_leftovers.py with a short grace."""
    code = f"import runpy, sys; main = runpy.run_path({str(SCRIPT)!r})['main']\n"
    code += f"main.__globals__['_GRACE_S'] = {grace_s}; sys.exit(main(['sh', '-c', {script!r}]))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [0, 7])
def test_the_exit_code_is_that_of_the_command(code: int) -> None:
    ran = run(f"exit {code}", grace_s=60)
    assert (ran.returncode, ran.stderr) == (code, "")


@pytest.mark.parametrize(
    "hidden",
    ["sleep 600", "setsid sleep 600", "env -i setsid sleep 600", "(setsid sh -c 'cd / && sleep 600 & wait' &)"],
)
def test_a_process_that_is_left_behind_is_named_and_fails_the_run(hidden: str) -> None:
    ran = run(f"{hidden} >/dev/null 2>&1 &")
    assert ran.returncode == 1
    assert "sleep 600" in ran.stderr
    assert "left behind" in ran.stderr


def test_an_orphan_that_ends_is_reaped_while_the_command_runs() -> None:
    # A zombie still answers to kill -0, and then the loop would not end.
    ran = run(
        "orphan=$(sh -c 'sleep 0.2 >/dev/null & echo $!'); while kill -0 $orphan 2>/dev/null; do sleep 0.05; done"
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_process_that_is_just_ending_is_waited_for() -> None:
    ran = run("(sleep 1; true) >/dev/null 2>&1 &", grace_s=60)
    assert (ran.returncode, ran.stderr) == (0, "")
