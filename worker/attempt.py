"""Run one attempt from claim to report, and decide the worker's exit code.

It is 0 if Mayfly knows the outcome or no longer wants it: after any other, a platform may restart the container.
"""

from __future__ import annotations

import os

from worker import reports
from worker.environment import BadEnvironment, Environment
from worker.interruption import Interruption
from worker.outcome import Outcome
from worker.output import Output
from worker.reports import Reports, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Source: sysexits.h. docs/worker-contract.md lists the numbers: 64, 70, 75, 77.
BAD_USAGE = os.EX_USAGE
_EXIT_CODES = {
    reports.GO_ON: os.EX_OK,
    reports.STOP: os.EX_OK,
    reports.FORBIDDEN: os.EX_NOPERM,
    reports.REJECTED: os.EX_SOFTWARE,
    reports.GAVE_UP: os.EX_TEMPFAIL,
}


def main(arguments: Sequence[str]) -> int:
    """Run the worker in this process and return its exit code.

    Shapes: `arguments` is empty, or `--` followed by a command and its arguments.
    """
    interruption = Interruption()
    try:
        environment = Environment(os.environ)
    except BadEnvironment as error:
        log(str(error))
        return BAD_USAGE
    if arguments and (arguments[0] != "--" or len(arguments) == 1):
        log(f"expected no arguments, or -- followed by a command (got {' '.join(arguments)!r})")
        return BAD_USAGE
    to_mayfly = Reports(environment, interruption)
    verdict = to_mayfly.started()
    if verdict != reports.GO_ON:
        return _EXIT_CODES[verdict]
    interruption.claimed = True
    to_mayfly.start_heartbeat(environment.heartbeat_s)
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
    except Exception as error:  # The outcome must be reported even when the worker itself fails.
        message = f"{type(error).__name__}: {error}"
        outcome = Outcome(exit_code=None, error_class="worker", error_message=message)
    outcome.output_tail = output.tail()
    return outcome
