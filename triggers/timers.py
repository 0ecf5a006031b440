"""The timer: the reconciler runs every 30 seconds."""

import logging

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from mayfly.errors import TryAgain
from mayfly.use_cases.reconcile import reconcile
from triggers.durable import DurableOrchestrators

timers = df.Blueprint()

_logger = logging.getLogger("triggers.timers")


@timers.function_name("reconcile")
@timers.timer_trigger(arg_name="timer", schedule="*/30 * * * * *", run_on_startup=True)
@timers.durable_client_input(client_name="client")
async def reconcile_all(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Fix the differences between the log and the world, every 30 seconds and after each start."""
    try:
        found = await reconcile(composition.current(), DurableOrchestrators(client))
    except TryAgain as error:
        _logger.warning("reconciling: %s; the next pass continues", error)
        return
    if found.started or found.unknown_deleted or found.leaks_found:
        _logger.warning("reconciled: %s", found)
