"""The demo work: a chain of MD5 hashes that starts with the message, twenty lines a second.

Source: the worker of the sample that Mayfly replaces, aci-event-driven-worker-queue.
"""

from __future__ import annotations

import sys
import time

from worker.outcome import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.interruption import Interruption
    from worker.output import Output

_LINES_PER_S = 20


def run_demo_work(
    message: str,
    *,
    seconds: float,
    output: Output,
    on_progress: Callable[[float | None, str], None],
    interruption: Interruption,
) -> Outcome:
    """Print hashes for `seconds`; with 0, print one immediately. A stop takes effect between two lines.

    Shapes: the result is `{"hash": <the last one>}`.
    """
    import resource
    from hashlib import md5

    lines = max(1, int(seconds * _LINES_PER_S))
    started_at = time.monotonic()
    last = message
    for line in range(1, lines + 1):
        last = md5(last.encode("utf-8", "replace")).hexdigest()  # noqa: S324 - a demo, not a defense
        output.write(last.encode("ascii") + b"\n")
        if seconds:
            on_progress(line / lines, f"line {line} of {lines}")
            interruption.sleep(started_at + seconds * line / lines - time.monotonic())
        if interruption.requested:
            message = f"stopped after line {line} of {lines}"
            outcome = Outcome(exit_code=None, error_class="terminated", error_message=message)
            break
    else:
        outcome = Outcome(exit_code=0, result=f'{{"hash":"{last}"}}')
    usage = resource.getrusage(resource.RUSAGE_SELF)
    outcome.cpu_s = usage.ru_utime + usage.ru_stime
    # Kilobytes on Linux, bytes on macOS. Source: getrusage(2) of both.
    outcome.memory_peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return outcome
