"""Report to Mayfly: claim the attempt, send progress and heartbeats, report the outcome. Answers decide what is next.

`started` and `finished` are retried until they are answered or `report_s` has passed. Each retry has the same claim, so
a lost answer does no harm. Progress is never retried: only the newest is sent, at most once a second.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

from worker.http_post import Answer, post
from worker.json_writer import JsonText, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    from worker.environment import Environment
    from worker.interruption import Interruption
    from worker.outcome import Outcome

    Verdict = Literal["proceed", "stop", "forbidden", "rejected", "gave up"]

GO_ON: Final = "proceed"
STOP: Final = "stop"
FORBIDDEN: Final = "forbidden"
REJECTED: Final = "rejected"
GAVE_UP: Final = "gave up"

_VERDICTS: dict[int, Verdict] = {
    **dict.fromkeys((200, 202), GO_ON),
    **dict.fromkeys((409, 410), STOP),
    **dict.fromkeys((401, 403), FORBIDDEN),
    **dict.fromkeys((400, 413, 422), REJECTED),
}
"""By status. Any other is retried: a redirect, or a 404 from a host that is still starting."""

MESSAGE_CHARS_MAX = 500
ERROR_CHARS_MAX = 2_000

_TIMEOUT_S = 30.0
_PROGRESS_TIMEOUT_S = 10.0
_PROGRESS_EVERY_S = 1.0
_BACKOFF_FIRST_S = 0.5
_BACKOFF_MAX_S = 10.0
_AFTER_SIGNAL_S = 10.0


class Reports:
    """The reports of one worker process.

    Shapes: `claim` is random and new for each process, so that Mayfly can recognize a restarted container.
    """

    def __init__(self, environment: Environment, interruption: Interruption) -> None:
        self.claim = os.urandom(16).hex()
        self._address = environment.address
        self._token = environment.token
        self._report_s = environment.report_s
        self._interruption = interruption
        self._lock = _thread.allocate_lock()
        self._pending: tuple[float | None, str] | None = None
        self._latest: tuple[float | None, str] = (None, "")
        self._sent_at = time.monotonic()
        self._sending = False
        self._ended = False
        self._sequence = 0

    def started(self) -> Verdict:
        """Claim the attempt. `GO_ON` means that this process owns it."""
        return self._send_until_answered("started", to_json({"type": "started", "claim": self.claim}))

    def progress(self, fraction: float | None, message: str) -> None:
        """Queue the newest progress and return immediately. A thread sends it; unsent older progress is dropped."""
        self._queue((fraction, message[:MESSAGE_CHARS_MAX]))

    def start_heartbeat(self, interval_s: float) -> None:
        """Send the latest progress again whenever none was sent for `interval_s`; 0 means never."""
        if interval_s:
            _thread.start_new_thread(self._send_heartbeats, (interval_s,))

    def finished(self, outcome: Outcome) -> Verdict:
        """Report the outcome. If the report is rejected, send smaller ones, so that the outcome is never lost."""
        with self._lock:
            self._ended = True
        verdict: Verdict = REJECTED
        for body in _finished_bodies(self.claim, outcome):
            verdict = self._send_until_answered("finished", body)
            if verdict != REJECTED:
                break
        return verdict

    def _send_until_answered(self, what: str, body: str) -> Verdict:
        deadline = time.monotonic() + self._report_s
        backoff_s = _BACKOFF_FIRST_S
        while True:
            retry_after_s: float | None = None
            try:
                answer = self._post(body, _TIMEOUT_S)
            except OSError as error:
                problem = f"no answer ({error})"
            else:
                verdict = _VERDICTS.get(answer.status)
                if verdict is not None:
                    if verdict != GO_ON:
                        log(f"{what}: {answer.status}, {verdict}. {answer.detail[:MESSAGE_CHARS_MAX]}")
                    return verdict
                problem, retry_after_s = f"answer {answer.status}", answer.retry_after_s
            requested = self._interruption.requested
            if self._interruption.signal_number is not None:
                # The platform is about to kill this process.
                deadline = min(deadline, time.monotonic() + _AFTER_SIGNAL_S)
            left = deadline - time.monotonic()
            if left <= 0:
                log(f"{what}: {problem}; gave up")
                return GAVE_UP
            # Jitter, so that a thousand workers do not retry at the same moment.
            pause_s = backoff_s * (0.5 + os.urandom(1)[0] / 512)
            pause_s = min(max(pause_s, retry_after_s or 0.0), left)
            log(f"{what}: {problem}; retrying in {pause_s:.1f} s")
            self._interruption.sleep(pause_s, requested=requested)
            backoff_s = min(backoff_s * 2, _BACKOFF_MAX_S)

    def _queue(self, newer: tuple[float | None, str] | None) -> None:
        """Queue the newest progress for sending, or the latest again if `newer` is None."""
        with self._lock:
            self._latest = newer or self._latest
            self._pending = self._latest
            start, self._sending = not self._sending, True
        if start:
            _thread.start_new_thread(self._send_progress, ())

    def _send_heartbeats(self, interval_s: float) -> None:
        while not self._ended:
            quiet_s = time.monotonic() - self._sent_at
            if quiet_s >= interval_s:
                self._queue(None)
                quiet_s = 0.0
            time.sleep(interval_s - quiet_s)

    def _send_progress(self) -> None:
        while True:
            with self._lock:
                progress, self._pending = self._pending, None
                if progress is None or self._ended:
                    self._sending = False
                    return
                self._sequence += 1
                sequence = self._sequence
                self._sent_at = time.monotonic()
            fraction, message = progress
            body = {"type": "progress", "claim": self.claim, "sequence": sequence}
            began_at = time.monotonic()
            try:
                answer = self._post(to_json({**body, "fraction": fraction, "message": message}), _PROGRESS_TIMEOUT_S)
            except OSError:
                pass
            else:
                verdict = _VERDICTS.get(answer.status)
                if verdict in (STOP, FORBIDDEN) and not self._ended:
                    log(f"progress: {answer.status}, {verdict}. {answer.detail[:MESSAGE_CHARS_MAX]}")
                    self._interruption.request_stop(verdict)
                    return
            time.sleep(max(0.0, began_at + _PROGRESS_EVERY_S - time.monotonic()))

    def _post(self, body: str, timeout_s: float) -> Answer:
        # Characters that cannot be encoded come from arguments that are not text; `?` is good enough in a message.
        return post(self._address, token=self._token, body=body.encode("utf-8", "replace"), timeout_s=timeout_s)


def log(text: str) -> None:
    """Write a line about the worker itself to standard error; if that is closed, drop it."""
    try:
        sys.stderr.write(f"mayfly-worker: {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def _finished_bodies(claim: str, outcome: Outcome) -> list[str]:
    """Return the report, then what to send if it is rejected: without the output, then without the result as well."""
    bodies = [_finished_body(claim, outcome, outcome.output_tail)]
    if outcome.output_tail:
        bodies.append(_finished_body(claim, outcome, ""))
    if outcome.error_class is None:
        rejected = outcome.failed("result_invalid", "Mayfly rejected the report with this result")
        bodies.append(_finished_body(claim, rejected, ""))
    return bodies


def _finished_body(claim: str, outcome: Outcome, output_tail: str) -> str:
    usage = {"cpu_s": round(outcome.cpu_s, 6), "memory_peak_bytes": outcome.memory_peak_bytes}
    if outcome.error_class is None:
        ended: dict[str, object] = {"outcome": "succeeded", "result": JsonText(outcome.result)}
    else:
        error = {"class": outcome.error_class, "message": outcome.error_message[:ERROR_CHARS_MAX]}
        ended = {"outcome": "failed", "error": error}
    body = {"type": "finished", "claim": claim, "exit_code": outcome.exit_code, **ended}
    return to_json({**body, "output_tail": output_tail, "usage": usage})
