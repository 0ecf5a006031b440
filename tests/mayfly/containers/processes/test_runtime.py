"""Container groups as real processes: what the contract asks, and what only processes can get wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mayfly.containers.processes.log import LOG_CUT
from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import GroupRequest, MetricSample
from tests.contracts.container_runtime import SECRET, ContainerRuntimeContract
from tests.mayfly.containers.processes.groups import (
    PLACE,
    create_in_a_child,
    delete,
    ended,
    kill_host,
    log_of,
    members,
    new_runtime,
    request_for,
    status_of,
)
from tests.waiting import until
from worker.output import CUT


class TestContract(ContainerRuntimeContract):
    @pytest.fixture
    def runtime(self, root: Path) -> ProcessRuntime:
        return new_runtime(root)

    def ends(self, group: str, *, exit_code: int, output: str) -> GroupRequest:
        return request_for(group, "sh", "-c", 'printf %s "$1"; exit "$2"', "sh", output, str(exit_code))

    def stays(self, group: str) -> GroupRequest:
        return request_for(group, "sleep", "600")


# Running: apart from the host


def test_a_group_outlives_its_killed_host_and_its_exit_code_is_found(root: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    wait_for_go = f"echo begun; while [ ! -e {go} ]; do sleep 0.01; done; exit 7"
    gate, opener = os.pipe()
    host = create_in_a_child(root, request_for("one", "sh", "-c", wait_for_go), gate)
    os.write(opener, b"x")
    until(lambda: (root / "one" / "log").exists() and (root / "one" / "log").read_text())
    kill_host(host)
    os.close(gate)
    os.close(opener)
    found = new_runtime(root)
    status = status_of(found, "one")
    assert status is not None
    assert status.phase == "running"
    go.touch()
    assert ended(found, "one").exit_code == 7
    assert [listing.group for listing in asyncio.run(found.list())] == ["one"]


def test_a_group_has_its_own_session_and_no_descriptor_of_the_host(runtime: ProcessRuntime) -> None:
    with socket.socket() as listening:
        listening.set_inheritable(True)
        list_descriptors = "ls -l /proc/self/fd; ps -o sid= -p $$"
        asyncio.run(runtime.create(request_for("one", "sh", "-c", list_descriptors)))
        ended(runtime, "one")
    *descriptors, session = log_of(runtime, "one").splitlines()
    assert "socket" not in "".join(descriptors)
    assert int(session) != os.getsid(0)


def test_the_environment_is_the_request_and_a_short_list(
    runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of the host")
    asyncio.run(runtime.create(request_for("one", "env", TOKEN=SECRET)))
    ended(runtime, "one")
    lines = log_of(runtime, "one").splitlines()
    assert "GREETING=hello" in lines
    assert f"TOKEN={SECRET}" in lines
    assert f"PATH={os.environ['PATH']}" in lines
    assert "AZURE_CLIENT_SECRET" not in "".join(lines)


def test_a_secret_is_on_no_disk_and_in_no_argument(root: Path, runtime: ProcessRuntime) -> None:
    """I8, even for the one who put the value on the command line."""
    asyncio.run(runtime.create(request_for("one", "sleep", "600", TOKEN=SECRET)))
    asyncio.run(runtime.create(request_for("two", "echo", f"--password={SECRET}", TOKEN=SECRET)))
    until(lambda: "sleep" in [psutil.Process(pid).name() for pid in members(root, "one")])
    for pid in members(root, "one"):
        assert SECRET not in " ".join(psutil.Process(pid).cmdline())
    for path in [path for path in root.rglob("*") if path.is_file() and path != root / "two" / "log"]:
        assert SECRET.encode() not in path.read_bytes(), path


def test_a_process_cannot_exceed_its_memory_limit(runtime: ProcessRuntime) -> None:
    allocate = f"bytearray({64 << 20}); print('allocated', flush=True); bytearray({400 << 20}); print('too', 'much')"
    asyncio.run(runtime.create(request_for("one", sys.executable, "-I", "-S", "-c", allocate, memory_gb=0.25)))
    assert ended(runtime, "one").exit_code == 1
    log = log_of(runtime, "one")
    assert "allocated" in log
    assert "MemoryError" in log
    assert "too much" not in log


def test_a_busy_loop_shows_in_the_metrics(runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mayfly.containers.processes.metrics._SAMPLE_EVERY_S", 0.1)
    asyncio.run(runtime.create(request_for("one", "sh", "-c", "while :; do :; done")))
    samples: list[MetricSample] = []

    def three_and_busy() -> bool:
        # How much of a core it gets, and after how many samples, is up to the machine.
        samples[:] = asyncio.run(runtime.metrics("one", place=PLACE))
        return len(samples) >= 3 and max(sample.cpu_cores for sample in samples) > 0

    until(three_and_busy)
    assert max(sample.cpu_cores for sample in samples) > 0
    assert all(sample.cpu_cores < 4 and sample.memory_bytes > 100_000 for sample in samples)
    assert [sample.at for sample in samples] == sorted(sample.at for sample in samples)


# Ending: seen rightly


def test_a_main_process_killed_from_outside_leaves_137(root: Path, runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "sleep", "600")))
    until(lambda: len(members(root, "one")) == 2)
    (main,) = [pid for pid in members(root, "one") if os.getsid(pid) != pid]
    os.kill(main, signal.SIGKILL)
    status = ended(runtime, "one")
    assert (status.exit_code, status.detail) == (137, "ended by SIGKILL")


def test_a_group_killed_whole_has_no_exit_code_and_says_so(root: Path, runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "sleep", "600")))
    until(lambda: len(members(root, "one")) == 2)
    os.killpg(members(root, "one")[0], signal.SIGKILL)
    status = ended(runtime, "one")
    assert status.exit_code is None
    assert status.exited_at is None
    assert "without an exit code" in status.detail


def test_a_group_whose_recorder_was_killed_still_runs(root: Path, runtime: ProcessRuntime, tmp_path: Path) -> None:
    go = tmp_path / "go"
    asyncio.run(runtime.create(request_for("one", "sh", "-c", f"while [ ! -e {go} ]; do sleep 0.01; done")))
    until(lambda: len(members(root, "one")) >= 2)
    (recorder,) = [pid for pid in members(root, "one") if os.getsid(pid) == pid]
    os.kill(recorder, signal.SIGKILL)
    until(lambda: recorder not in members(root, "one"))
    status = status_of(runtime, "one")
    assert status is not None
    assert status.phase == "running"
    go.touch()
    assert ended(runtime, "one").exit_code is None


def test_a_signal_to_the_whole_group_does_not_lose_the_exit_code(root: Path, runtime: ProcessRuntime) -> None:
    asyncio.run(
        runtime.create(request_for("one", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done"))
    )
    until(lambda: "ready" in log_of(runtime, "one"))
    (recorder,) = [pid for pid in members(root, "one") if os.getsid(pid) == pid]
    os.killpg(recorder, signal.SIGTERM)
    assert ended(runtime, "one").exit_code == 9


def test_processes_left_by_the_main_process_end_with_it(root: Path, runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "sh", "-c", "sleep 600 & exit 0")))
    assert ended(runtime, "one").exit_code == 0
    until(lambda: not members(root, "one"))


def test_no_zombie_is_left_in_the_host(runtime: ProcessRuntime) -> None:
    names = [f"job-{number}" for number in range(5)]
    for name in names:
        asyncio.run(runtime.create(request_for(name, "true")))
    for name in names:
        ended(runtime, name)

    def zombies() -> list[int]:
        for name in names:
            status_of(runtime, name)
        statuses = [(child.pid, child.status()) for child in psutil.Process().children()]
        return [pid for pid, status in statuses if status == psutil.STATUS_ZOMBIE]

    until(lambda: not zombies())


def test_a_reused_pid_is_neither_mistaken_for_the_group_nor_killed(root: Path, runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "sleep", "600")))
    until(lambda: len(members(root, "one")) == 2)
    os.killpg(members(root, "one")[0], signal.SIGKILL)
    ended(runtime, "one")
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        (root / "one" / "pid").write_text(f"{stranger.pid}\n")
        status = status_of(runtime, "one")
        assert status is not None
        assert status.phase == "exited"
        delete(runtime, "one")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


# Logs


def test_a_tail_begins_at_a_character(runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "printf", "%s", "aé€😀z")))
    ended(runtime, "one")
    tails = {}
    for bytes_max in range(1, 13):
        tail = asyncio.run(runtime.logs("one", place=PLACE, bytes_max=bytes_max))
        assert tail is not None
        tails[bytes_max] = tail.text
    assert [tails[size] for size in (1, 4, 5, 7, 8, 10, 11, 12)] == [
        "z", "z", "😀z", "😀z", "€😀z", "é€😀z", "aé€😀z", "aé€😀z",
    ]  # fmt: skip


def test_binary_output_is_shown_with_replacement_characters(runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "printf", "%b", "a\\0377\\0376b")))
    ended(runtime, "one")
    assert log_of(runtime, "one") == "a��b"


def test_a_log_cut_by_its_writer_is_truncated(root: Path, runtime: ProcessRuntime) -> None:
    assert LOG_CUT == CUT
    asyncio.run(runtime.create(request_for("one", "printf", "%s", CUT.decode() + "the rest")))
    ended(runtime, "one")
    tail = asyncio.run(runtime.logs("one", place=PLACE, bytes_max=10_000))
    assert tail is not None
    assert tail.truncated
