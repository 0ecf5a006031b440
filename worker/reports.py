"""Tell Mayfly: claim the attempt, report progress, report the end. Answers decide what the worker does next.

`started` and `finished` are sent again until they are answered or `report_s` is over, with the same claim each time,
so that a lost answer does no harm. Progress is sent once, at most once a second, and only the newest.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

from worker.post import Answer, post
from worker.wire_json import JsonText, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from worker.environment import Environment
    from worker.interruption import Interruption
    from worker.work import Ending

GO_ON = "go on"
STOP = "stop"
FORBIDDEN = "forbidden"
REFUSED = "refused"
GAVE_UP = "gave up"

MESSAGE_CHARS_MAX = 500
ERROR_CHARS_MAX = 2_000

_TIMEOUT_S = 30.0
_PROGRESS_TIMEOUT_S = 10.0
_PROGRESS_EVERY_S = 1.0
_BACKOFF_FIRST_S = 0.5
_BACKOFF_MAX_S = 10.0
_LAST_TRY_S = 10.0


class Reports:
    """The reports of one worker process. `claim` is new for each process: it tells a restarted container apart."""

    def __init__(self, environment: Environment, interruption: Interruption) -> None:
        self.claim = os.urandom(16).hex()
        self._address = environment.address
        self._token = environment.token
        self._report_s = environment.report_s
        self._interruption = interruption
        self._lock = _thread.allocate_lock()
        self._newest: tuple[float | None, str] | None = None
        self._latest: tuple[float | None, str] = (None, "")
        self._heard_at = time.monotonic()
        self._sending = False
        self._ended = False
        self._sequence = 0

    def started(self) -> str:
        """Claim the attempt. Returns GO_ON when it is ours, else why not."""
        return self._send_until_answered("started", to_json({"type": "started", "claim": self.claim}))

    def progress(self, fraction: float | None, message: str) -> None:
        """Hand over the newest progress and return at once; a thread sends it, and drops what it replaces."""
        self._hand_over((fraction, message[:MESSAGE_CHARS_MAX]))

    def stay_alive(self, every_s: float) -> None:
        """Say the latest progress again whenever nothing was said for `every_s`; 0: never."""
        if every_s:
            _thread.start_new_thread(self._say_again, (every_s,))

    def finished(self, ending: Ending) -> str:
        """Report the end; when the report itself is refused, send smaller ones, so that the outcome is never lost."""
        with self._lock:
            self._ended = True
        verdict = REFUSED
        for body in _finished_bodies(self.claim, ending):
            verdict = self._send_until_answered("finished", body)
            if verdict != REFUSED:
                break
        return verdict

    def _send_until_answered(self, what: str, body: str) -> str:
        deadline = time.monotonic() + self._report_s
        backoff_s = _BACKOFF_FIRST_S
        while True:
            retry_after_s: float | None = None
            try:
                answer = self._post(body, _TIMEOUT_S)
            except OSError as error:
                trouble = f"no answer ({error})"
            else:
                verdict = _verdict(answer)
                if verdict is not None:
                    if verdict != GO_ON:
                        say(f"{what}: {answer.status}, {verdict}. {answer.detail[:MESSAGE_CHARS_MAX]}")
                    return verdict
                trouble, retry_after_s = f"answer {answer.status}", answer.retry_after_s
            requested = self._interruption.requested
            if self._interruption.signal_number is not None:
                # The platform is about to kill this process; a short last effort is all that makes sense.
                deadline = min(deadline, time.monotonic() + _LAST_TRY_S)
            left = deadline - time.monotonic()
            if left <= 0:
                say(f"{what}: {trouble}; gave up")
                return GAVE_UP
            # Jitter, so that a thousand workers do not come back in the same instant.
            pause_s = backoff_s * (0.5 + os.urandom(1)[0] / 512)
            pause_s = min(max(pause_s, retry_after_s or 0.0), left)
            say(f"{what}: {trouble}; again in {pause_s:.1f} s")
            self._interruption.sleep(pause_s, requested=requested)
            backoff_s = min(backoff_s * 2, _BACKOFF_MAX_S)

    def _hand_over(self, newer: tuple[float | None, str] | None) -> None:
        """Have the newest progress sent, or for None the latest once more."""
        with self._lock:
            self._latest = newer or self._latest
            self._newest = self._latest
            start, self._sending = not self._sending, True
        if start:
            _thread.start_new_thread(self._send_progress, ())

    def _say_again(self, every_s: float) -> None:
        while not self._ended:
            quiet_s = time.monotonic() - self._heard_at
            if quiet_s >= every_s:
                self._hand_over(None)
                quiet_s = 0.0
            time.sleep(every_s - quiet_s)

    def _send_progress(self) -> None:
        while True:
            with self._lock:
                newest, self._newest = self._newest, None
                if newest is None or self._ended:
                    self._sending = False
                    return
                self._sequence += 1
                sequence = self._sequence
                self._heard_at = time.monotonic()
            fraction, message = newest
            body = {"type": "progress", "claim": self.claim, "sequence": sequence}
            begun = time.monotonic()
            try:
                answer = self._post(to_json({**body, "fraction": fraction, "message": message}), _PROGRESS_TIMEOUT_S)
            except OSError:
                pass
            else:
                verdict = _verdict(answer)
                if verdict in (STOP, FORBIDDEN) and not self._ended:
                    say(f"progress: {answer.status}, {verdict}. {answer.detail[:MESSAGE_CHARS_MAX]}")
                    self._interruption.request_stop(verdict)
                    return
            time.sleep(max(0.0, begun + _PROGRESS_EVERY_S - time.monotonic()))

    def _post(self, body: str, timeout_s: float) -> Answer:
        # What cannot be encoded came from arguments that are no text; a question mark is good enough in a message.
        return post(self._address, token=self._token, body=body.encode("utf-8", "replace"), timeout_s=timeout_s)


def say(text: str) -> None:
    """Write a line about the worker itself to standard error."""
    try:
        sys.stderr.write(f"mayfly-worker: {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def _verdict(answer: Answer) -> str | None:
    """Say what an answer asks for; None: try again later.

    Whatever is not named in the contract (a redirect, a 404 of a host that is still starting) is tried again too.
    """
    if answer.status in (200, 202):
        return GO_ON
    if answer.status in (409, 410):
        return STOP
    if answer.status in (401, 403):
        return FORBIDDEN
    if answer.status in (400, 413, 422):
        return REFUSED
    return None


def _finished_bodies(claim: str, ending: Ending) -> list[str]:
    """The report, and what to send when it is refused: without the output, then without the result as well."""
    bodies = [_finished_body(claim, ending, ending.output_tail)]
    if ending.output_tail:
        bodies.append(_finished_body(claim, ending, ""))
    if ending.error_class is None:
        refused = ending.failed("result_invalid", "the report with this result was refused", exit_code=ending.exit_code)
        bodies.append(_finished_body(claim, refused, ""))
    return bodies


def _finished_body(claim: str, ending: Ending, output_tail: str) -> str:
    usage = {"cpu_s": round(ending.cpu_s, 6), "memory_peak_bytes": ending.memory_peak_bytes}
    common = {"type": "finished", "claim": claim, "exit_code": ending.exit_code}
    last = {"output_tail": output_tail, "usage": usage}
    if ending.error_class is None:
        result = JsonText(ending.result)
        return to_json({**common, "outcome": "succeeded", "result": result, **last})
    error = {"class": ending.error_class, "message": ending.error_message[:ERROR_CHARS_MAX]}
    return to_json({**common, "outcome": "failed", "error": error, **last})
