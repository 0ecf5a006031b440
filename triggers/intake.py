"""Jobs from a queue: Service Bus in Azure, the local host's own queue on a laptop.

The function exists only where `MAYFLY_QUEUE` names a queue, because the host in Azure does not start with a trigger
whose connection is missing. A message that is refused raises: Service Bus delivers it again, up to the queue's limit,
while the others go on, and then puts it among the dead letters. A function in Python cannot do that at once, nor say
why: settlement is open to it only by `azurefunctions-extensions-bindings-servicebus`, of which every release up to
1.0.0b2 is a pre-release. So the queue's own reason is always `MaxDeliveryCountExceeded`; the real one is in the intake
record from the first delivery on, under the message's id, and in the host's log.

The body is asked for as bytes: as text the host would put a replacement character in the place of what is not UTF-8.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger (peek-lock behaviour);
azure-functions-python-worker #1659; azure-functions-python-extensions #133, #146 (settlement).
"""

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from mayfly.settings import queue_name
from mayfly.use_cases.submit_message import Message, submit_message
from triggers.answers import answer, answering, number_of, queries_of
from triggers.durable import DurableOrchestrators

intake = df.Blueprint()

QUEUE = queue_name()


async def take_message(message: func.ServiceBusMessage, client: df.DurableOrchestrationClient) -> None:
    """Submit the job that a message holds; raise `MessageRejected` for one that holds none."""
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


@intake.route(route="intake", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def list_refusals(req: func.HttpRequest) -> func.HttpResponse:
    """Return the messages that were refused, newest first."""
    limit = number_of(queries_of(req, "limit"), "limit", default=100, low=1, high=1_000)
    refusals = await composition.current().intake.refusals(limit=limit)
    return answer(
        {
            "refusals": [
                {
                    "queue": one.queue,
                    "message_id": one.message_id,
                    "at": one.at.isoformat(),
                    "reason": one.reason,
                    "body_bytes": one.body_bytes,
                    "body_sha256": one.body_sha256,
                }
                for one in refusals
            ]
        }
    )
