"""Run the command: relay its output, forward signals, and determine the outcome.

The command runs in a separate process group, so that a signal reaches it and its children exactly once. It is started
with `posix_spawn`, because importing `subprocess` takes longer than the whole start of the worker.
"""

from __future__ import annotations

import os
import time

from worker.c_modules import signal
from worker.line_protocol import LineProtocol
from worker.outcome import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.interruption import Interruption
    from worker.masking import Mask
    from worker.output import Output

KILL_AFTER_S = 10.0
"""From forwarding SIGTERM to SIGKILL."""

_EOF_AFTER_S = 1.0
"""How long to keep reading after the command ended while a process that it left behind holds the pipe open."""

_CHUNK = 1 << 16


def run_command(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    output: Output,
    mask: Mask,
    on_progress: Callable[[float | None, str], None],
    interruption: Interruption,
) -> Outcome:
    """Run `command` to its end and return its outcome. A requested stop is forwarded as SIGTERM.

    Errors: none; a command that cannot be started is a failed outcome.
    """
    reader, writer = os.pipe()
    try:
        pid = _spawn(command, env, writer)
    except OSError as error:
        os.close(reader)
        return _not_started(command[0], error)
    finally:
        os.close(writer)
    protocol = LineProtocol(on_progress)
    exit_status, usage = _relay_until_exit(pid, reader, _Relay(output, protocol, mask), interruption)
    os.close(reader)
    # Kill everything that the command left behind, as the end of a container's main process would.
    _kill_group(pid, signal.SIGKILL)
    outcome = _outcome_of(exit_status, protocol, interruption)
    outcome.cpu_s, outcome.memory_peak_bytes = usage
    return outcome


def _spawn(command: Sequence[str], env: Mapping[str, str], writer: int) -> int:
    return os.posix_spawnp(
        command[0],
        list(command),
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, writer, 1),
            (os.POSIX_SPAWN_DUP2, writer, 2),
        ],
        setpgroup=0,
        # Python ignores these two signals, and the command would inherit that.
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )


class _Relay:
    """Masks the command's output and passes it to the worker's own output and to the line protocol."""

    def __init__(self, output: Output, protocol: LineProtocol, mask: Mask) -> None:
        self._output = output
        self._protocol = protocol
        self._mask = mask

    def feed(self, data: bytes) -> None:
        self._pass_on(self._mask.feed(data))

    def close(self) -> None:
        self._pass_on(self._mask.flush())
        self._protocol.close()

    def _pass_on(self, data: bytes) -> None:
        if data:
            self._output.write(data)
            self._protocol.feed(data)


def _relay_until_exit(
    pid: int, reader: int, relay: _Relay, interruption: Interruption
) -> tuple[int, tuple[float, int]]:
    status: int | None = None
    usage = (0.0, 0)
    forwarded: int | None = None
    kill_at: float | None = None
    stop_reading_at: float | None = None
    sources = [reader]
    while status is None or (sources and stop_reading_at is not None and time.monotonic() < stop_reading_at):
        deadlines = [at for at in (kill_at, stop_reading_at) if at is not None]
        timeout_s = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        if interruption.wait(timeout_s, *sources):
            data = os.read(reader, _CHUNK)
            if data:
                relay.feed(data)
            else:
                sources = []
        if status is None:
            number = interruption.signal_number or (signal.SIGTERM if interruption.stop else None)
            if number is not None and number != forwarded:
                forwarded = number
                _kill_group(pid, number)
                kill_at = kill_at or time.monotonic() + KILL_AFTER_S
            if kill_at is not None and time.monotonic() >= kill_at:
                _kill_group(pid, signal.SIGKILL)
                kill_at = None
            status, usage = _reap(pid, usage)
            if status is not None:
                kill_at, stop_reading_at = None, time.monotonic() + _EOF_AFTER_S
    if sources and interruption.wait(0, reader):
        # Whatever the command itself wrote is still in the pipe, which one more read empties.
        relay.feed(os.read(reader, _CHUNK))
    relay.close()
    return status, usage


def _reap(pid: int, usage: tuple[float, int]) -> tuple[int | None, tuple[float, int]]:
    """Reap all ended processes, as PID 1 of a container must, and return the status of `pid` if it is one of them."""
    status: int | None = None
    while True:
        try:
            ended, ended_status, ended_usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if ended == 0:
            break
        if ended == pid:
            status = ended_status
            # Kilobytes on Linux, bytes on macOS. Source: getrusage(2) of both.
            unit = 1 if os.uname().sysname == "Darwin" else 1024
            usage = (ended_usage.ru_utime + ended_usage.ru_stime, ended_usage.ru_maxrss * unit)
    return status, usage


def _outcome_of(status: int, protocol: LineProtocol, interruption: Interruption) -> Outcome:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        code, error_class, message = 128 + number, "signal", f"the command was killed by {_signal_name(number)}"
    else:
        code = os.WEXITSTATUS(status)
        error_class, message = "exit", f"the command exited with code {code}"
    if interruption.requested:
        by = _signal_name(interruption.signal_number) if interruption.signal_number else "Mayfly"
        error_class, message = "terminated", f"stopped by {by}; {message}"
    elif code == 0:
        try:
            return Outcome(exit_code=0, result=protocol.result())
        except ValueError as error:
            error_class, message = "result_invalid", str(error)
    return Outcome(exit_code=code, error_class=error_class, error_message=message)


def _not_started(name: str, error: OSError) -> Outcome:
    if isinstance(error, FileNotFoundError):
        message = f"{name!r} was not found; if it is a script, check its interpreter"
        return Outcome(exit_code=127, error_class="command_not_found", error_message=message)
    if isinstance(error, PermissionError) or error.strerror == "Exec format error":
        message = f"{name!r} cannot be executed: {error}"
        return Outcome(exit_code=126, error_class="not_executable", error_message=message)
    message = f"the command could not be started: {error}"
    return Outcome(exit_code=None, error_class="worker", error_message=message)


def _kill_group(group: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib costs 2 ms to import
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # No process is left in the group. macOS answers EPERM if only a zombie is.
        pass


def _signal_name(number: int) -> str:
    import signal as full_signal

    try:
        return f"signal {number} ({full_signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
