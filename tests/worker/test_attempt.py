"""One attempt: the exit codes are those of the contract, and the worker reports its own failures too."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.conftest import WORKER
from tests.worker.report_server import ReportServer
from worker import attempt, reports

CONTRACT = Path(__file__).parents[2] / "docs" / "worker-contract.md"


def test_the_exit_codes_are_those_of_the_contract() -> None:
    table = CONTRACT.read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    documented = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")}
    assert documented == {attempt.BAD_USAGE, *attempt._EXIT_CODES.values(), 128 + 15, 128 + 2}
    assert attempt._EXIT_CODES == {
        reports.GO_ON: 0,
        reports.STOP: 0,
        reports.REJECTED: 70,
        reports.GAVE_UP: 75,
        reports.FORBIDDEN: 77,
    }


def test_the_pauses_are_those_of_the_contract() -> None:
    assert f"double up to {reports._BACKOFF_MAX_S:g} seconds" in CONTRACT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "module"), [(["--", "true"], "command.run_command"), ([], "demo_work.run_demo_work")]
)
def test_a_failure_of_the_worker_itself_is_reported(
    server: ReportServer, environment: dict[str, str], command: list[str], module: str
) -> None:
    """Run a worker whose work is replaced by a fault."""
    code = (
        f"import sys; sys.path.append({str(WORKER.parents[1])!r})\n"
        "import worker.command, worker.demo_work\n"
        f"worker.{module} = lambda *_, **__: 1 / 0\n"
        "from worker.attempt import main; sys.exit(main(sys.argv[1:]))"
    )
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", code, *command], env=environment, check=False)
    assert ended.returncode == 0
    end = server.the_end()
    assert (end["outcome"], end["exit_code"], end["error"]["class"]) == ("failed", None, "worker")
    assert end["error"]["message"] == "ZeroDivisionError: division by zero"
