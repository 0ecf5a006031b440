"""Container groups as real processes: what the contract asks, and what only processes can get wrong."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from mayfly.containers.processes import census as process_census
from mayfly.containers.processes import runtime as processes
from mayfly.containers.processes.census import take_census
from mayfly.containers.processes.group_directory import DIRECTORY_VARIABLE, GroupDirectory
from mayfly.containers.processes.log import LOG_CUT
from mayfly.containers.processes.runtime import ProcessRuntime
from mayfly.containers.runtime import GroupRefused, GroupRequest, GroupStatus, MetricSample
from mayfly.errors import RuntimeUnavailable
from tests.contracts.container_runtime import SECRET, ContainerRuntimeContract
from tests.waiting import HANG_GUARD_S, until
from worker.output import CUT

PLACE = "local"
RUN_THE_COMMAND = ["/bin/sh", "-c", 'shift; exec "$@"', "worker"]
"""A worker that is nothing but its command, so that these tests are about processes alone."""


def request_for(group: str, *command: str, memory_gb: float = 1.0, **secure_env: str) -> GroupRequest:
    return GroupRequest(
        group=group,
        place=PLACE,
        job_id="job",
        attempt=1,
        image=None,
        command=command,
        env={"GREETING": "hello"},
        secure_env=secure_env,
        cpu=1.0,
        memory_gb=memory_gb,
        tags={"mayfly": "job"},
    )


def new_runtime(root: Path, **options: float) -> ProcessRuntime:
    return ProcessRuntime(root, worker_command=RUN_THE_COMMAND, **{"grace_s": 0.3, **options})  # type: ignore[arg-type]


def members(root: Path, group: str) -> Sequence[int]:
    return take_census(DIRECTORY_VARIABLE).members(root.resolve() / group)


def status_of(runtime: ProcessRuntime, group: str) -> GroupStatus | None:
    return asyncio.run(runtime.inspect(group, place=PLACE))


def ended(runtime: ProcessRuntime, group: str) -> GroupStatus:
    statuses: list[GroupStatus | None] = []

    def exited() -> bool:
        statuses.append(status_of(runtime, group))
        return statuses[-1] is not None and statuses[-1].phase == "exited"

    until(exited)
    assert statuses[-1] is not None
    return statuses[-1]


def delete(runtime: ProcessRuntime, group: str) -> None:
    asyncio.run(runtime.delete(group, place=PLACE))


def log_of(runtime: ProcessRuntime, group: str) -> str:
    tail = asyncio.run(runtime.logs(group, place=PLACE, bytes_max=100_000))
    assert tail is not None
    return tail.text


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a start, or a kill, that takes long on a busy machine be none that failed; forked hosts inherit it."""
    monkeypatch.setattr(processes, "_START_WAIT_S", HANG_GUARD_S)
    monkeypatch.setattr(processes, "_KILL_WAIT_S", HANG_GUARD_S)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A root for groups; afterwards every group is deleted, and no process may be left of any."""
    root = tmp_path / "groups"
    yield root
    runtime = new_runtime(root, grace_s=0.0)
    for listing in asyncio.run(runtime.list()):
        delete(runtime, listing.group)
    ours = [name for name in take_census(DIRECTORY_VARIABLE).by_directory if name.startswith(str(tmp_path))]
    assert ours == [], "processes outlived their groups"


@pytest.fixture
def runtime(root: Path) -> ProcessRuntime:
    return new_runtime(root)


class TestContract(ContainerRuntimeContract):
    @pytest.fixture
    def runtime(self, root: Path) -> ProcessRuntime:
        return new_runtime(root)

    def ends(self, group: str, *, exit_code: int, output: str) -> GroupRequest:
        return request_for(group, "sh", "-c", 'printf %s "$1"; exit "$2"', "sh", output, str(exit_code))

    def stays(self, group: str) -> GroupRequest:
        return request_for(group, "sleep", "600")


# Starting: one main process, whatever happens to the host


def create_in_a_child(root: Path, request: GroupRequest, gate: int, done: int | None = None) -> int:
    """Fork a host that waits at the gate (a pipe), creates the group, writes a byte to `done` and stays."""
    pid = os.fork()
    if pid == 0:
        try:
            os.read(gate, 1)
            asyncio.run(new_runtime(root).create(request))
            if done is not None:
                os.write(done, b"x")
            signal.pause()
        finally:
            os._exit(0)
    return pid


def kill_host(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def counted(group: str, tmp_path: Path) -> tuple[GroupRequest, Path]:
    starts = tmp_path / f"starts-of-{group}"
    return request_for(group, "sh", "-c", f"echo started >>{starts}; sleep 600"), starts


def test_a_host_killed_at_any_instant_and_asked_again_ends_with_one_process(root: Path, tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    delays = random.Random(seed)
    for round_number in range(40):
        group = f"round-{round_number}"
        request, starts = counted(group, tmp_path)
        gate, opener = os.pipe()
        host = create_in_a_child(root, request, gate)
        os.write(opener, b"x")
        time.sleep(delays.uniform(0, 0.008))  # any moment will do: it decides only where the host dies
        kill_host(host)
        os.close(gate)
        os.close(opener)
        second = new_runtime(root)
        asyncio.run(second.create(request))
        until(lambda starts=starts: starts.exists() and starts.read_text())  # type: ignore[misc]
        recorders = [pid for pid in members(root, group) if os.getsid(pid) == pid]
        assert len(recorders) == 1, f"{len(recorders)} main processes in round {round_number}"
        delete(second, group)
        assert starts.read_text() == "started\n"


def test_hosts_that_create_at_the_same_time_make_one_process(root: Path, tmp_path: Path) -> None:
    for round_number in range(15):
        group = f"round-{round_number}"
        request, starts = counted(group, tmp_path)
        new_runtime(root)
        gate, opener = os.pipe()
        finished, done = os.pipe()
        hosts = [create_in_a_child(root, request, gate, done) for _ in range(3)]
        os.write(opener, b"xxx")
        for _ in hosts:
            assert os.read(finished, 1) == b"x"
        until(lambda starts=starts: starts.exists() and starts.read_text())  # type: ignore[misc]
        assert len([pid for pid in members(root, group) if os.getsid(pid) == pid]) == 1
        assert starts.read_text() == "started\n"
        for host in hosts:
            kill_host(host)
        for end in (gate, opener, finished, done):
            os.close(end)
        delete(new_runtime(root), group)


def test_a_second_recorder_leaves_at_once(root: Path, runtime: ProcessRuntime, tmp_path: Path) -> None:
    request, starts = counted("one", tmp_path)
    asyncio.run(runtime.create(request))
    until(lambda: starts.exists() and starts.read_text())
    lock = os.open(root / "one" / "lock", os.O_RDWR)
    second = GroupDirectory(root, "one").spawn(
        lock, ["/bin/sh", "-c", f"echo again >>{starts}"], env={}, data_kb=0, cwd=None
    )
    os.close(lock)
    second.wait(HANG_GUARD_S)
    assert starts.read_text() == "started\n"


def recorded(root: Path, group: str) -> GroupDirectory:
    """Do what a host does that is killed between recording a group and starting it."""
    directory = GroupDirectory(root.resolve(), group)
    directory.record({"job_id": "j", "attempt": 1, "place": PLACE, "created_at": "2026-01-01T00:00:00+00:00"})
    return directory


def test_a_group_that_is_being_started_is_pending(root: Path, runtime: ProcessRuntime) -> None:
    lock = recorded(root, "waiting").try_lock()
    assert lock is not None
    status = status_of(runtime, "waiting")
    assert status is not None
    assert (status.phase, status.started_at) == ("pending", None)
    assert [listing.group for listing in asyncio.run(runtime.list())] == ["waiting"]
    os.close(lock)


def test_a_group_whose_host_was_killed_before_the_start_is_not_there(root: Path, runtime: ProcessRuntime) -> None:
    recorded(root, "seen")
    recorded(root, "listed")
    assert status_of(runtime, "seen") is None
    assert list(asyncio.run(runtime.list())) == []
    assert os.listdir(root) == []


def test_a_group_whose_host_was_killed_before_the_start_can_be_created_and_deleted(
    root: Path, runtime: ProcessRuntime
) -> None:
    recorded(root, "again")
    asyncio.run(runtime.create(request_for("again", "true")))
    assert ended(runtime, "again").exit_code == 0
    recorded(root, "away")
    delete(runtime, "away")
    assert not (root / "away").exists()


def test_the_lock_of_a_removed_group_is_no_lock(root: Path) -> None:
    class Slow(GroupDirectory):
        """Whose lock file is opened, and then the group is removed and recorded again."""

        def _is_lock(self, descriptor: int) -> bool:
            self.remove()
            recorded(root, self.group)
            return super()._is_lock(descriptor)

    recorded(root, "one")
    with pytest.raises(FileNotFoundError):
        Slow(root.resolve(), "one").try_lock()


def test_a_start_that_another_host_never_finishes_is_unavailable(
    root: Path, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mayfly.containers.processes.runtime._START_WAIT_S", 0.1)
    lock = recorded(root, "stuck").try_lock()
    assert lock is not None
    with pytest.raises(RuntimeUnavailable):
        asyncio.run(runtime.create(request_for("stuck", "true")))
    os.close(lock)
    asyncio.run(runtime.create(request_for("stuck", "true")))
    assert ended(runtime, "stuck").exit_code == 0


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        (errno.EAGAIN, "wait"),
        (errno.ENOMEM, "wait"),
        (errno.EMFILE, "wait"),
        (errno.ENOENT, "permanent"),
        (errno.EACCES, "permanent"),
    ],
)
def test_a_failed_spawn_is_refused_with_what_to_do_and_leaves_nothing(
    root: Path, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch, number: int, refusal: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(GroupRefused) as refused:
        asyncio.run(runtime.create(request_for("one", "true")))
    assert refused.value.refusal.kind == refusal
    assert refused.value.refusal.code == errno.errorcode[number]
    assert refused.value.refusal.hint
    assert os.listdir(root) == []


@pytest.mark.parametrize("value", ["nul\0inside", "x" * (3 << 20)])
def test_an_environment_that_the_system_refuses_is_permanent(root: Path, runtime: ProcessRuntime, value: str) -> None:
    with pytest.raises(GroupRefused) as refused:
        asyncio.run(runtime.create(request_for("one", "true", VALUE=value)))
    assert refused.value.refusal.kind == "permanent"
    assert value not in str(refused.value)
    assert os.listdir(root) == []


def test_a_missing_worker_is_an_exit_of_127(root: Path) -> None:
    runtime = ProcessRuntime(root, worker_command=["/nowhere/worker"])
    asyncio.run(runtime.create(request_for("one", "true")))
    assert ended(runtime, "one").exit_code == 127
    assert "/nowhere/worker" in log_of(runtime, "one")


def test_a_missing_work_directory_is_an_exit_and_not_a_silence(root: Path, tmp_path: Path) -> None:
    runtime = ProcessRuntime(root, worker_command=RUN_THE_COMMAND, work_directory=tmp_path / "nowhere")
    asyncio.run(runtime.create(request_for("one", "true")))
    assert ended(runtime, "one").exit_code not in (0, None)
    assert "nowhere" in log_of(runtime, "one")


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


def test_memory_beyond_the_limit_is_refused_to_the_process(runtime: ProcessRuntime) -> None:
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

    def three() -> bool:
        samples[:] = asyncio.run(runtime.metrics("one", place=PLACE))
        return len(samples) >= 3

    until(three)
    assert max(sample.cpu_cores for sample in samples) > 0  # how much of a core it gets is up to the machine
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


def test_what_the_main_process_leaves_in_its_group_ends_with_it(root: Path, runtime: ProcessRuntime) -> None:
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


def test_a_reused_pid_is_neither_taken_for_the_group_nor_killed(root: Path, runtime: ProcessRuntime) -> None:
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


# Deleting: all of it, always


ESCAPES = {
    "a child": (1, "sleep 600 & wait"),
    "a session of its own": (2, "setsid sleep 600 & setsid -f sleep 600; wait"),
    "an emptied environment": (1, "env -i sleep 600 & wait"),
    "both": (2, "setsid -f env -i sleep 600; sleep 600"),
    "a forgotten orphan": (1, "(setsid sh -c 'sleep 600; true' &); sleep 0.1; exit 0"),
    "deaf to SIGTERM": (2, "trap '' TERM; setsid -f sleep 600; while :; do sleep 600; done"),
}
"""How many processes sleep for long once all are there, and the script."""


@pytest.mark.parametrize(("sleepers", "script"), ESCAPES.values(), ids=ESCAPES.keys())
def test_delete_leaves_no_process_alive(root: Path, runtime: ProcessRuntime, sleepers: int, script: str) -> None:
    lock = root.resolve() / "one" / "lock"
    asyncio.run(runtime.create(request_for("one", "sh", "-c", script)))
    until(lambda: [_command_line(process) for process in _holding(lock)].count("sleep 600") == sleepers)
    living = _holding(lock)
    delete(runtime, "one")
    assert [process for process in living if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert status_of(runtime, "one") is None


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it ended while we looked
        return ""


def _holding(lock: Path) -> list[psutil.Process]:
    """Return who holds the lock, but for those that end while we look."""
    found = []
    for pid in process_census.holders(lock):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


def test_delete_gives_the_main_process_time_to_end(root: Path, tmp_path: Path) -> None:
    runtime = new_runtime(root, grace_s=HANG_GUARD_S)
    farewell = tmp_path / "farewell"
    script = f"trap 'echo bye >{farewell}; exit 0' TERM; echo ready; while :; do sleep 0.01; done"
    asyncio.run(runtime.create(request_for("one", "sh", "-c", script)))
    until(lambda: "ready" in log_of(runtime, "one"))
    delete(runtime, "one")
    assert farewell.read_text() == "bye\n"


def test_a_delete_half_done_by_a_killed_host_is_finished_by_another(root: Path, runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "sleep", "600")))
    until(lambda: len(members(root, "one")) == 2)
    GroupDirectory(root, "one").mark_deleting()
    other = new_runtime(root)
    status = status_of(other, "one")
    assert status is not None
    assert (status.phase, status.deleting) == ("running", True)
    delete(other, "one")
    assert (status_of(other, "one"), members(root, "one")) == (None, [])


def test_hosts_that_delete_at_the_same_time_are_both_content(root: Path, runtime: ProcessRuntime) -> None:
    async def story() -> None:
        await runtime.create(request_for("one", "sleep", "600"))
        others = [new_runtime(root) for _ in range(3)]
        await asyncio.gather(*(other.delete("one", place=PLACE) for other in others))
        assert await runtime.inspect("one", place=PLACE) is None

    asyncio.run(story())


def test_a_create_that_comes_during_the_delete_starts_nothing(
    root: Path, runtime: ProcessRuntime, tmp_path: Path
) -> None:
    request, starts = counted("one", tmp_path)
    directory = GroupDirectory(root, "one")
    directory.record({"job_id": "j", "attempt": 1, "place": PLACE, "created_at": "2026-01-01T00:00:00+00:00"})
    directory.mark_deleting()
    asyncio.run(runtime.create(request))
    assert members(root, "one") == []
    assert not starts.exists()


def test_what_killed_hosts_left_half_made_is_swept(root: Path, runtime: ProcessRuntime) -> None:
    for name in (".new-1", ".gone-1", ".gone-2"):
        (root / name).mkdir()
        (root / name / "log").touch()
    os.utime(root / ".new-1", (0, 0))
    os.utime(root / ".gone-1", (0, 0))
    assert list(asyncio.run(runtime.list())) == []
    assert os.listdir(root) == [".gone-2"]


def test_strays_are_found_without_proc(root: Path, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_census, "_LINUX", False)
    asyncio.run(runtime.create(request_for("one", "sh", "-c", "setsid sleep 600 & wait")))
    until(lambda: len(members(root, "one")) == 3)
    delete(runtime, "one")
    assert members(root, "one") == []


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


def test_output_that_is_no_text_is_shown_with_replacement(runtime: ProcessRuntime) -> None:
    asyncio.run(runtime.create(request_for("one", "printf", "%b", "a\\0377\\0376b")))
    ended(runtime, "one")
    assert log_of(runtime, "one") == "a��b"


def test_a_log_that_its_writer_cut_back_is_truncated(root: Path, runtime: ProcessRuntime) -> None:
    assert LOG_CUT == CUT
    asyncio.run(runtime.create(request_for("one", "printf", "%s", CUT.decode() + "the rest")))
    ended(runtime, "one")
    tail = asyncio.run(runtime.logs("one", place=PLACE, bytes_max=10_000))
    assert tail is not None
    assert tail.truncated
