"""The worker and the process runtime together, as on a laptop: only the reports' receiver is a stand-in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import GroupRequest, GroupStatus
from tests.waiting import HANG_GUARD_S, until
from tests.worker.conftest import TOKEN, WORKER
from tests.worker.report_server import ReportServer


class Laptop:
    """A runtime with the real worker, asked from synchronous tests."""

    def __init__(self, root: Path, environment: dict[str, str], **options: int) -> None:
        worker = [sys.executable, "-I", "-S", str(WORKER)]
        self.runtime = ProcessRuntime(root, worker_command=worker, grace_s=HANG_GUARD_S, **options)  # type: ignore[arg-type]
        self.environment = {name: value for name, value in environment.items() if value != TOKEN}

    def create(self, *command: str, group: str = "job-1-1", **env: str) -> None:
        request = GroupRequest(
            group=group,
            place="local",
            job_id="job-1",
            attempt=1,
            image=None,
            command=command,
            env={**self.environment, **env},
            secure_env={"MAYFLY_REPORT_TOKEN": TOKEN},
            cpu=1.0,
            memory_gb=0.5,
        )
        asyncio.run(self.runtime.create(request))

    def status(self, group: str = "job-1-1") -> GroupStatus | None:
        return asyncio.run(self.runtime.inspect(group, place="local"))

    def ended(self, group: str = "job-1-1") -> GroupStatus:
        def has_ended() -> bool:
            status = self.status(group)
            return status is not None and status.phase == "exited"

        until(has_ended)
        status = self.status(group)
        assert status is not None
        return status

    def log(self, bytes_max: int = 1 << 20) -> tuple[str, bool]:
        tail = asyncio.run(self.runtime.logs("job-1-1", place="local", bytes_max=bytes_max))
        assert tail is not None
        return tail.text, tail.truncated

    def delete(self, group: str = "job-1-1") -> None:
        asyncio.run(self.runtime.delete(group, place="local"))


@pytest.fixture
def laptop(tmp_path: Path, environment: dict[str, str]) -> Iterator[Laptop]:
    laptop = Laptop(tmp_path / "groups", environment, log_bytes_max=300_000)
    yield laptop
    for listing in asyncio.run(laptop.runtime.list()):
        laptop.delete(listing.group)


def test_a_command_runs_is_reported_and_exits_0(server: ReportServer, laptop: Laptop) -> None:
    laptop.create("sh", "-c", "echo work; exit 3")
    assert laptop.ended().exit_code == 0
    assert server.the_end()["exit_code"] == 3
    assert laptop.log() == ("work\n", False)


def test_the_command_starts_in_an_empty_folder_of_the_group(server: ReportServer, laptop: Laptop) -> None:
    laptop.create("sh", "-c", "pwd; ls -A")
    laptop.ended()
    (line,) = laptop.log()[0].splitlines()
    assert line.endswith("/groups/job-1-1/work")


def test_a_deleted_worker_reports_that_it_was_terminated(server: ReportServer, laptop: Laptop) -> None:
    laptop.create("sh", "-c", "echo ready; sleep 600; true")
    until(lambda: "ready" in laptop.log()[0])
    laptop.delete()
    assert laptop.status() is None
    assert (server.the_end()["error"]["class"], server.the_end()["exit_code"]) == ("terminated", 143)


def test_a_killed_worker_leaves_137_and_its_command_goes_with_the_group(server: ReportServer, laptop: Laptop) -> None:
    laptop.create("sh", "-c", "kill -9 $PPID; sleep 600")
    assert laptop.ended().exit_code == 137
    assert server.of_type("finished") == []
    laptop.delete()


def test_the_log_is_bounded_and_keeps_its_end(server: ReportServer, laptop: Laptop) -> None:
    laptop.create("seq", "1", "400000")
    laptop.ended()
    text, truncated = laptop.log()
    assert truncated
    assert len(text) < 400_000
    assert text.endswith("399999\n400000\n")


def test_a_second_group_of_the_same_attempt_does_no_work(server: ReportServer, laptop: Laptop) -> None:
    """I4."""
    server.script["started"] = [202, 409]
    laptop.create("echo", "worked")
    laptop.ended()
    laptop.create("echo", "worked", group="job-1-1-again")
    assert laptop.ended("job-1-1-again").exit_code == 0
    assert len(server.of_type("finished")) == 1


def test_memory_beyond_the_limit_fails_the_command_and_is_reported(server: ReportServer, laptop: Laptop) -> None:
    laptop.create("python3", "-I", "-S", "-c", "bytearray(600 << 20)")
    assert laptop.ended().exit_code == 0
    end = server.the_end()
    assert (end["error"]["class"], end["exit_code"]) == ("exit", 1)
    assert "MemoryError" in end["output_tail"]
