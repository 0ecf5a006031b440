"""The command: its output, its result, its signals, and everything that it may leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.waiting import HANG_GUARD_S, Gate, until
from tests.worker.conftest import TOKEN, WORKER, Start
from tests.worker.report_server import Answer, ReportServer

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def failure(server: ReportServer) -> tuple[str, int | None]:
    end = server.the_end()
    assert end["outcome"] == "failed"
    assert "result" not in end
    return end["error"]["class"], end["exit_code"]


# Output


def test_both_streams_are_relayed_unchanged_and_in_order(server: ReportServer, run: Run) -> None:
    ended = run("sh", "-c", "echo one; echo two >&2; echo three; printf '\\377\\000end'")
    assert ended.stdout == b"one\ntwo\nthree\n\xff\x00end"
    assert server.the_end()["output_tail"] == "one\ntwo\nthree\n�\0end"


def test_output_is_relayed_as_it_comes(start: Start) -> None:
    worker = start("sh", "-c", "printf half; sleep 600")
    assert worker.stdout is not None
    assert os.read(worker.stdout.fileno(), 100) == b"half"


def test_a_hundred_megabytes_are_relayed_in_little_memory(server: ReportServer, start: Start) -> None:
    size = 100_000_000
    worker = start("sh", "-c", f"yes a line of output | head -c {size}")
    assert worker.stdout is not None
    relayed = 0
    memory_peak = b""
    while data := worker.stdout.read(1 << 20):
        relayed += len(data)
        status = Path(f"/proc/{worker.pid}/status").read_bytes()
        memory_peak = next((line for line in status.splitlines() if line.startswith(b"VmHWM")), memory_peak)
    until(lambda: worker.poll() is not None)
    assert relayed == size
    assert int(memory_peak.split()[1]) < 20_000  # In kilobytes; Python alone takes 9,000.
    end = server.the_end()
    assert len(end["output_tail"]) == 16_000
    assert end["outcome"] == "succeeded"


def test_a_flood_of_progress_is_relayed_and_thinned(server: ReportServer, start: Start, gate: Gate) -> None:
    """While one report is on its way no other is sent, and only the newest is kept for afterwards."""
    server.script["progress"] = [Answer(held=True)]
    first = "::progress 0.1 first"
    worker = start("sh", "-c", f"echo {first}; {gate.wait}; yes ::progress 0.5 again | head -c 5000000")
    until(lambda: server.of_type("progress"))
    gate.let_pass()
    output, _ = worker.communicate(timeout=HANG_GUARD_S)
    assert len(output) == len(first) + 1 + 5_000_000
    assert len(server.of_type("progress")) == 1
    assert server.the_end()["outcome"] == "succeeded"


def test_the_tail_is_counted_in_characters(server: ReportServer, run: Run) -> None:
    run("sh", "-c", "for i in $(seq 1 200); do printf '%0100d' 0 | sed 's/0/😀/g'; done")
    assert server.the_end()["output_tail"] == "😀" * 16_000


@pytest.mark.parametrize("close", ["exec >&- 2>&-;", ""], ids=["closed early", "kept"])
def test_unread_output_does_not_fail_the_work(server: ReportServer, start: Start, gate: Gate, close: str) -> None:
    worker = start("sh", "-c", f"{gate.wait}; seq 1 20000; {close} sleep 0.2; exit 5")
    assert worker.stdout is not None
    worker.stdout.close()
    worker.stdout = None
    gate.let_pass()
    until(lambda: worker.poll() is not None)
    assert worker.returncode == 0
    assert failure(server) == ("exit", 5)
    assert server.the_end()["output_tail"].endswith("20000\n")


def test_a_log_file_is_cut_back_when_it_grows_too_long(
    server: ReportServer, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("ab") as file:
        argv = ["python3", "-I", "-S", str(WORKER), "--", "seq", "1", "300000"]
        subprocess.run(argv, env={**environment, "MAYFLY_LOG_BYTES_MAX": "500000"}, stdout=file, check=True)
    lines = log.read_text().splitlines()
    assert log.stat().st_size < 700_000
    assert lines[0] == "[mayfly: the output before this line was cut]"
    numbers = [int(line) for line in lines[2:]]  # The second line may have been cut itself.
    assert numbers == list(range(numbers[0], 300_001))
    assert len(numbers) > 5_000


# Result


def test_the_last_result_line_wins_wherever_it_is(server: ReportServer, run: Run) -> None:
    run(
        "sh",
        "-c",
        "echo '::result 1'; echo '  ::result 2'; printf '::result {\"n\": 3}\\r\\n'; echo; echo '::resulting 4'",
    )
    assert server.the_end()["result"] == {"n": 3}


def test_a_result_without_its_newline_counts(server: ReportServer, run: Run) -> None:
    run("printf", "%s", "text\n::result true")
    assert server.the_end()["result"] is True


def test_no_result_is_null(server: ReportServer, run: Run) -> None:
    run("echo", "text ::result 1")
    assert server.the_end()["result"] is None


@pytest.mark.parametrize("line", ["{", "", "NaN", "[1] 2", "'a'", "\ufffd" * 3 + "{", "[" * 5_000, "1" * 5_000])
def test_a_malformed_result_is_a_failure_that_shows_it(server: ReportServer, run: Run, line: str) -> None:
    ended = run("printf", "%s\\n", f"::result {line}")
    assert ended.returncode == 0
    assert failure(server) == ("result_invalid", 0)
    assert line[:20] in server.the_end()["error"]["message"]


@pytest.mark.parametrize("line", ["1e999", '"\\ud800"'])
def test_a_result_that_no_store_can_keep_is_a_failure(server: ReportServer, run: Run, line: str) -> None:
    run("printf", "%s\\n", f"::result {line}")
    assert failure(server) == ("result_invalid", 0)


@pytest.mark.parametrize(("size", "outcome"), [(65_536, "succeeded"), (65_537, "failed"), (300_000, "failed")])
def test_a_result_has_at_most_64_kb(server: ReportServer, run: Run, size: int, outcome: str) -> None:
    run("sh", "-c", f"printf '::result \"%0{size - 2}d\"\\n' 0")
    end = server.the_end()
    assert end["outcome"] == outcome
    if outcome == "failed":
        assert end["error"]["class"] == "result_invalid"
        assert "larger than 65536 bytes" in end["error"]["message"]
    else:
        assert len(end["result"]) == size - 2


# How it ended


def test_a_missing_command_is_reported(server: ReportServer, run: Run) -> None:
    assert run("no-such-command").returncode == 0
    assert failure(server) == ("command_not_found", 127)
    assert "no-such-command" in server.the_end()["error"]["message"]


@pytest.mark.parametrize(("content", "mode"), [("#!/bin/sh\n", 0o644), ("no format", 0o755)])
def test_a_command_that_is_not_executable_is_reported(
    server: ReportServer, run: Run, tmp_path: Path, content: str, mode: int
) -> None:
    file = tmp_path / "command"
    file.write_text(content)
    file.chmod(mode)
    assert run(str(file)).returncode == 0
    assert failure(server) == ("not_executable", 126)


@pytest.mark.parametrize("code", [1, 2, 255])
def test_an_exit_code_is_reported(server: ReportServer, run: Run, code: int) -> None:
    run("sh", "-c", f"exit {code}")
    assert failure(server) == ("exit", code)


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM"])
def test_a_command_killed_by_a_signal_is_reported(server: ReportServer, run: Run, name: str) -> None:
    run("sh", "-c", f"kill -{name} $$")
    number = signal.Signals[f"SIG{name}"]
    assert failure(server) == ("signal", 128 + number)
    assert f"SIG{name}" in server.the_end()["error"]["message"]


def test_usage_is_that_of_the_command_and_what_it_waited_for(server: ReportServer, run: Run) -> None:
    code = "x = bytearray(150 << 20)\nimport os\nwhile os.times().user < 0.3: pass"
    run("sh", "-c", f'python3 -I -S -c "{code}"; true')
    usage = server.the_end()["usage"]
    assert usage["cpu_s"] > 0.29
    assert 150 << 20 < usage["memory_peak_bytes"] < 250 << 20


# Its environment


def test_the_command_gets_the_environment_but_not_the_token(
    server: ReportServer, run: Run, environment: dict[str, str]
) -> None:
    # Python itself sets LC_CTYPE where no locale is set (PEP 538).
    lines = [line for line in run("env", EXTRA="more").stdout.decode().splitlines() if "LC_CTYPE" not in line]
    assert dict(line.split("=", 1) for line in lines) == {
        **{name: value for name, value in environment.items() if value != TOKEN},
        "EXTRA": "more",
    }


def test_the_command_has_no_input_and_the_usual_signals(run: Run) -> None:
    # The kernel's mask, in hexadecimal. Python ignores SIGPIPE and SIGXFSZ for itself.
    ignored = run("grep", "SigIgn", "/proc/self/status").stdout.split()[1]
    assert int(ignored, 16) & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)) == 0
    assert run("cat").stdout == b""


def test_the_command_has_only_its_three_files_open(run: Run) -> None:
    listed = run("ls", "/proc/self/fd").stdout.split()
    assert [number for number in listed if int(number) > 3] == []


# Processes that it leaves behind


def test_a_grandchild_that_holds_the_pipe_does_not_hold_the_worker(server: ReportServer, run: Run) -> None:
    ended = run("sh", "-c", "echo $$; setsid sleep 86400 & echo $!; exit 0")
    assert ended.returncode == 0
    assert server.the_end()["outcome"] == "succeeded"
    os.kill(int(ended.stdout.split()[1]), signal.SIGKILL)


def test_a_grandchild_that_keeps_talking_does_not_hold_the_worker(server: ReportServer, run: Run) -> None:
    ended = run("sh", "-c", "(while :; do echo talk; done) & exit 0")
    assert ended.returncode == 0
    assert server.the_end()["outcome"] == "succeeded"


def test_processes_that_the_command_left_in_its_group_are_killed(server: ReportServer, run: Run) -> None:
    ended = run("sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!")
    left = int(ended.stdout)
    until(lambda: not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE)


def test_all_output_of_a_command_that_ended_is_relayed(run: Run) -> None:
    """A pipe full of output at the moment of the exit."""
    for _ in range(2):
        assert len(run("sh", "-c", "setsid sleep 2 & exec head -c 65536 /dev/zero").stdout) == 65_536


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_end_reported(server: ReportServer, start: Start, number: int) -> None:
    worker = start("sh", "-c", "trap 'echo got it; exit 3' TERM INT; echo ready; while :; do sleep 0.01; done")
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    worker.send_signal(number)
    output, _ = worker.communicate(timeout=HANG_GUARD_S)
    assert output.endswith(b"got it\n")
    assert worker.returncode == 0
    assert failure(server) == ("terminated", 3)


def test_the_whole_group_of_the_command_gets_the_signal(server: ReportServer, start: Start) -> None:
    worker = start("sh", "-c", "echo ready; sleep 600; true")
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    worker.terminate()
    worker.communicate(timeout=HANG_GUARD_S)
    assert failure(server) == ("terminated", 143)


def test_a_command_that_will_not_end_is_killed(
    server: ReportServer, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a worker whose patience is shortened."""
    code = (
        f"import sys; sys.path.append({str(WORKER.parents[1])!r})\n"
        "import worker.command; worker.command.KILL_AFTER_S = 0.3\n"
        "from worker.attempt import main; sys.exit(main(sys.argv[1:]))"
    )
    stubborn = "trap '' TERM; echo ready; while :; do sleep 0.01; done"
    argv = ["python3", "-I", "-S", "-c", code, "--", "sh", "-c", stubborn]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        worker.terminate()
        worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 0
    assert failure(server) == ("terminated", 137)


def test_before_the_claim_a_signal_just_ends_the_worker(server: ReportServer, start: Start) -> None:
    server.script["started"] = [503]
    worker = start("sh", "-c", "echo worked")
    until(lambda: server.of_type("started"))
    worker.terminate()
    output, _ = worker.communicate(timeout=HANG_GUARD_S)
    assert (worker.returncode, output) == (143, b"")
    assert server.of_type("finished") == []


def test_a_signal_during_the_last_report_shortens_the_wait(server: ReportServer, start: Start) -> None:
    server.script["finished"] = [Answer(503, {"Retry-After": "600"}), Answer(202)]
    worker = start("true")
    assert worker.stderr is not None
    assert worker.stderr.readline().endswith(b"retrying in 600.0 s\n")
    worker.terminate()
    worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 0
    assert len(server.of_type("finished")) == 2


def test_a_worker_that_is_pid_1_reaps_what_it_inherits(server: ReportServer, environment: dict[str, str]) -> None:
    probe = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this system does not permit a new pid namespace")
    script = (
        "for i in 1 2 3; do (setsid sleep 0.01 &); done; while ps -e -o stat=,comm= | grep -e ^Z -e sleep; do :; done"
    )
    argv = ["unshare", "--pid", "--fork", "--mount-proc", "python3", "-I", "-S", str(WORKER), "--", "sh", "-c", script]
    subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=HANG_GUARD_S)
    assert server.the_end()["outcome"] == "succeeded"


# The demo work


def test_the_demo_work_is_the_chain_of_the_sample(server: ReportServer, run: Run) -> None:
    ended = run(MAYFLY_WORK_SECONDS="1.5")
    lines = ended.stdout.decode().split()
    assert len(lines) == 30
    assert lines[:2] == ["5d41402abc4b2a76b9719d911017c592", "69a329523ce1ec88bf63061863d9cb14"]
    end = server.the_end()
    assert (end["outcome"], end["exit_code"], end["result"]) == ("succeeded", 0, {"hash": lines[-1]})
    assert end["usage"]["memory_peak_bytes"] > 1_000_000
    sequences = [report.body["sequence"] for report in server.of_type("progress")]
    assert sequences == [*range(1, len(sequences) + 1)] != []


def test_the_demo_work_can_take_no_time(server: ReportServer, run: Run) -> None:
    ended = run(MAYFLY_WORK_SECONDS="0")
    assert ended.stdout == b"5d41402abc4b2a76b9719d911017c592\n"
    assert server.the_end()["result"] == {"hash": "5d41402abc4b2a76b9719d911017c592"}


def test_the_demo_work_can_be_stopped(server: ReportServer, start: Start) -> None:
    worker = start(MAYFLY_WORK_SECONDS="600")
    assert worker.stdout is not None
    worker.stdout.readline()
    worker.terminate()
    worker.communicate(timeout=HANG_GUARD_S)
    assert worker.returncode == 0
    assert failure(server) == ("terminated", None)


def test_a_progress_answer_stops_the_demo_work(server: ReportServer, run: Run) -> None:
    server.script["progress"] = [410]
    assert run(MAYFLY_WORK_SECONDS="600").returncode == 0
    assert server.of_type("finished") == []
