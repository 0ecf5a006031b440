"""Jobs from a queue: Service Bus in Azure, the local host's own queue on a laptop.

The function exists only if `MAYFLY_QUEUE` names a queue, because the host in Azure does not start if the connection of
a trigger is missing. A rejected message raises an error. Service Bus then delivers it again, up to the queue's limit,
without delaying the others, and moves it to the dead letters. A function in Python can neither dead-letter a message at
once nor give a reason: settlement requires `azurefunctions-extensions-bindings-servicebus`, and every release of it up
to 1.0.0b2 is a pre-release. So the queue's own reason is always `MaxDeliveryCountExceeded`. The real reason is in the
host's log, and from the first delivery on in the intake record, under the message's id.

The body is requested as bytes: as text, the host would replace bytes that are not valid UTF-8.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger (PeekLock behavior);
azure-functions-python-worker #1659; azure-functions-python-extensions #133, #146 (settlement).
"""

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from mayfly.settings import queue_name
from mayfly.use_cases.submit_message import Message, submit_message
from triggers.answers import answer, number_of
from triggers.bodies import RejectedMessages
from triggers.durable import DurableOrchestrators
from triggers.operations import limit, operation

intake = df.Blueprint()

QUEUE = queue_name()
_REJECTED = limit(1_000, 100)


async def take_message(message: func.ServiceBusMessage, client: df.DurableOrchestrationClient) -> None:
    """Submit the job in a message. Errors: `MessageRejected`, `TryAgain`; both make the queue deliver it again."""
    await submit_message(
        composition.current(),
        DurableOrchestrators(client),
        Message(
            queue=QUEUE or "",
            message_id=message.message_id or f"sequence-{message.sequence_number}",
            body=message.get_body(),
            content_type=message.content_type,
        ),
    )


if QUEUE is not None:
    _bound = intake.durable_client_input(client_name="client")(take_message)
    _bound = intake.service_bus_queue_trigger(
        arg_name="message", connection="MAYFLY_BUS", queue_name="%MAYFLY_QUEUE%", data_type=func.DataType.BINARY
    )(_bound)
    intake.function_name("take_message")(_bound)


@operation("GET", "intake", blueprint=intake, tag="log", parameters=(_REJECTED,), returns=RejectedMessages)
async def list_refusals(req: func.HttpRequest) -> func.HttpResponse:
    """List rejected queue messages. Messages that are not valid jobs, newest first, with the reason."""
    rejected = await composition.current().intake.rejections(limit=number_of(req, _REJECTED))
    return answer(RejectedMessages(refusals=[*rejected]))
