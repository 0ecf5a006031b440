"""One attempt from claim to report: what the worker does, and with which exit code it leaves.

It exits 0 whenever Mayfly knows the end or does not want to know it, because a platform may restart a container that
exits otherwise.
"""

from __future__ import annotations

import os

from worker import reports
from worker.environment import BadEnvironment, Environment
from worker.interruption import Interruption
from worker.outcome import Outcome
from worker.output import Output
from worker.reports import Reports, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_USAGE = 64
REPORT_REFUSED = 70
GAVE_UP = 75
FORBIDDEN = 77

_EXIT_CODES = {
    reports.GO_ON: 0,
    reports.STOP: 0,
    reports.FORBIDDEN: FORBIDDEN,
    reports.REFUSED: REPORT_REFUSED,
    reports.GAVE_UP: GAVE_UP,
}
"""From `<sysexits.h>`: EX_USAGE, EX_SOFTWARE, EX_TEMPFAIL, EX_NOPERM."""


def main(arguments: Sequence[str]) -> int:
    """Run the worker in this process and return its exit code. `arguments`: nothing, or `--` and a command."""
    interruption = Interruption()
    try:
        environment = Environment(os.environ)
    except BadEnvironment as error:
        say(str(error))
        return BAD_USAGE
    if arguments and (arguments[0] != "--" or len(arguments) == 1):
        say(f"expected nothing, or -- and a command (got {arguments[0]!r})")
        return BAD_USAGE
    to_mayfly = Reports(environment, interruption)
    verdict = to_mayfly.started()
    if verdict != reports.GO_ON:
        return _EXIT_CODES[verdict]
    interruption.claimed = True
    to_mayfly.stay_alive(environment.alive_s)
    outcome = _work(arguments[1:], environment, interruption, to_mayfly)
    if interruption.stop is not None:
        return _EXIT_CODES[interruption.stop]
    return _EXIT_CODES[to_mayfly.finished(outcome)]


def _work(command: Sequence[str], environment: Environment, interruption: Interruption, to_mayfly: Reports) -> Outcome:
    output = Output(log_bytes_max=environment.log_bytes_max)
    try:
        if command:
            from worker.command import run_command
            from worker.masking import mask_of

            mask = mask_of(environment.command_env, environment.secret_names)
            outcome = run_command(
                command,
                env=environment.command_env,
                output=output,
                mask=mask,
                on_progress=to_mayfly.progress,
                interruption=interruption,
            )
            outcome.error_message = mask.text(outcome.error_message)
        else:
            from worker.demo_work import run_demo_work

            outcome = run_demo_work(
                environment.message,
                seconds=environment.work_s,
                output=output,
                on_progress=to_mayfly.progress,
                interruption=interruption,
            )
    except Exception as error:  # The end must be reported even when the fault is our own.
        outcome = Outcome(exit_code=None).failed("worker", f"{type(error).__name__}: {error}", exit_code=None)
    outcome.output_tail = output.tail()
    return outcome
