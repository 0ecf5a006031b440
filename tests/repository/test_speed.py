"""No test depends on the speed or the load of the machine."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.repository.speed_rules import speed_faults
from tests.waiting import HANG_GUARD_S

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "tests/waiting.py": "it has the only guard against hangs",
    "tests/sampling.py": "it is where properties get their settings, with no deadline",
    "tests/soak/drills.py": "it prints how far a drill is, every few seconds",
    "tests/contracts/container_runtime.py": "it compares timestamps with the clock before and after, in that order",
    "tests/mayfly/containers/processes/test_start.py": "it kills a host at a random moment; any will do",
    "tests/images/base_image.py": "it assembles an image itself if no registry answers in time",
    "tests/browser/pictures.py": "it waits for charts to be painted before it takes a picture, and asserts nothing",
    "tests/worker/test_http_post.py": "its server never answers, and the short time limit is what it tests",
    "tests/compatibility/writing/azure_jobs.py": "it wrote the record with commit 9e4d491; no test runs it",
    "tests/compatibility/writing/host.py": "it wrote the record with commit 9e4d491; no test runs it",
    "tests/compatibility/writing/local_jobs.py": "it wrote the record with commit 9e4d491; no test runs it",
}
"""Files that use real time, and why no result depends on it."""


def test_no_test_depends_on_the_speed_of_the_machine() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line} {fault}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if "node_modules" not in path.parts and str(path.relative_to(ROOT)) not in ALLOWED
        for line, fault in speed_faults(path.read_text(encoding="utf-8"))
    ]
    assert faults == []


@pytest.mark.parametrize("name", ALLOWED)
def test_each_exception_is_still_needed(name: str) -> None:
    assert list(speed_faults((ROOT / name).read_text(encoding="utf-8"))), f"remove {name} from ALLOWED"


def test_the_guard_of_a_test_lets_a_wait_end_with_its_own_message() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pytest"]["ini_options"]["timeout"] >= 2 * HANG_GUARD_S


@pytest.mark.parametrize(
    "source",
    [
        "begun = time.monotonic()\nwork()\nassert time.monotonic() - begun < 5",
        "begun = time.time()\nwork()\ntook = time.time() - begun\nprint(took)\nassert took > 1",
        "from time import perf_counter\nassert perf_counter() < end",
        "assert datetime.now(UTC) - before < timedelta(seconds=1)",
        "while time.monotonic() < give_up:\n    look()",
        "process.wait(5)",
        "process.communicate(timeout=5)",
        "subprocess.run(command, timeout=2 * 30, check=True); httpx.get(url, timeout=30)",
        "child.wait_until_ready(within_s=60)",
        "async with asyncio.timeout(20):\n    pass",
        "pytestmark = pytest.mark.timeout(300)",
        "time.sleep(0.3)",
        "page.wait_for_timeout(1_500)",
        "await asyncio.sleep(0.2)",
        "_settings = settings(max_examples=100)",
        "before = datetime.now(UTC)\nwork()\nassert job.ended_at - before < timedelta(seconds=2)",
        "now = datetime.now(UTC)\nassert job.ended_at < now + timedelta(seconds=2)",
        "listening.settimeout(5)",
    ],
)
def test_code_that_depends_on_speed_is_found(source: str) -> None:
    assert list(speed_faults(f"async def test() -> None:\n{_indented(source)}"))


@pytest.mark.parametrize(
    "source",
    [
        "begun = time.monotonic()\nwork()\nprint(time.monotonic() - begun)",
        "while not condition():\n    time.sleep(0.01)",
        "await asyncio.sleep(0)",
        "process.communicate(timeout=HANG_GUARD_S)",
        "answered.wait()",
        "assert clock.now() - began == timedelta(hours=1)",
        "', '.join(names)",
        "before = datetime.now(UTC)\nwork()\nassert before < job.ended_at",
        "at = datetime.now(UTC)\nassert samples == [Sample(at=at + MINUTE)]",
    ],
)
def test_code_that_does_not_depend_on_speed_is_not_reported(source: str) -> None:
    assert list(speed_faults(f"async def test() -> None:\n{_indented(source)}")) == []


def test_a_limit_in_a_constant_is_found() -> None:
    assert list(speed_faults("LIMIT_S = 5\nprocess.wait(LIMIT_S)"))
    assert list(speed_faults("LIMIT_S: float = 5\nprocess.wait(LIMIT_S)"))
    assert list(speed_faults("LIMIT_S = 86_400\nprocess.wait(LIMIT_S)")) == []


def _indented(source: str) -> str:
    return "".join(f"    {line}\n" for line in source.split("\n"))
