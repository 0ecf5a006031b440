"""How do queue triggers work on one machine? Their messages are stored in the task hub.

Messages are delivered at least once, and in order as long as nothing fails. A delivery is counted before the function
is called, so a message that crashes the host cannot do so forever. After too many deliveries a message becomes a dead
letter and stays in the hub. Sending a message twice creates two messages, as in Service Bus without duplicate
detection.

Source: learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues (10 deliveries);
learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue (maxDequeueCount 5).
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import Any, NamedTuple

from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter
from azure.functions.servicebus import ServiceBusMessageInConverter

from local_host.app.functions import SERVICE_BUS, Function
from local_host.app.invocation import Invoker
from local_host.clock import Clock
from local_host.durable.history import from_micros, micros, stamp
from local_host.durable.hub import TaskHub

log = logging.getLogger("local_host.triggers.queues")


class QueueMessage(NamedTuple):
    """A message in a queue.

    Shapes: `number` is unique and grows. `properties` is the text of a JSON object. `deliveries` is the number of
    deliveries so far. `reason` is set for dead letters only.

    Units: `enqueued_at` is in microseconds since 1970.
    """

    number: int
    queue: str
    message_id: str
    body: bytes
    content_type: str | None = None
    properties: str = "{}"
    enqueued_at: int = 0
    deliveries: int = 0
    reason: str | None = None


class Queues:
    """All queues of one host. Queue names are case-insensitive."""

    def __init__(self, hub: TaskHub, clock: Clock) -> None:
        self._db = hub.db
        self._clock = clock
        self._waiting: dict[str, asyncio.Event] = {}
        self._db.executescript(_SCHEMA)

    def send(
        self, queue: str, body: bytes, *, message_id: str | None, content_type: str | None, properties: str = "{}"
    ) -> str:
        """Store a message and return its id.

        Shapes: without a `message_id` it is 32 hex digits. `properties` is the text of a JSON object.
        """
        message_id = message_id or uuid.uuid4().hex
        self._db.execute(
            "INSERT INTO queue_messages(queue,message_id,body,content_type,properties,enqueued_at,deliveries)"
            " VALUES(?,?,?,?,?,?,0)",
            (queue.lower(), message_id, body, content_type, properties, micros(self._clock.now())),
        )
        self.arrival(queue).set()
        return message_id

    def arrival(self, queue: str) -> asyncio.Event:
        """Return the event that is set when a message is sent to the queue."""
        return self._waiting.setdefault(queue.lower(), asyncio.Event())

    def next_messages(self, queue: str, *, after: int, limit: int) -> list[QueueMessage]:
        """Return up to `limit` live messages with numbers above `after`, oldest first."""
        rows = self._db.execute(
            f"{_SELECT} WHERE queue=? AND reason IS NULL AND number>? ORDER BY number LIMIT ?",
            (queue.lower(), after, limit),
        )
        return [QueueMessage._make(row) for row in rows]

    def dead_letters(self, queue: str) -> list[QueueMessage]:
        rows = self._db.execute(f"{_SELECT} WHERE queue=? AND reason IS NOT NULL ORDER BY number", (queue.lower(),))
        return [QueueMessage._make(row) for row in rows]

    def count_delivery(self, number: int) -> int:
        """Count one more delivery of a message, and return how many there were."""
        row = self._db.execute(
            "UPDATE queue_messages SET deliveries=deliveries+1 WHERE number=? RETURNING deliveries", (number,)
        ).fetchone()
        return int(row[0])

    def complete(self, number: int) -> None:
        """Delete a message that was handled."""
        self._db.execute("DELETE FROM queue_messages WHERE number=?", (number,))

    def dead_letter(self, number: int, reason: str) -> None:
        """Turn a message into a dead letter."""
        self._db.execute("UPDATE queue_messages SET reason=? WHERE number=?", (reason, number))


class QueueTrigger:
    """One queue function."""

    def __init__(
        self, function: Function, *, queues: Queues, invoker: Invoker, deliveries_max: int, concurrent_max: int
    ) -> None:
        self.function = function
        self._queue = str(function.trigger["queueName"])
        self._queues = queues
        self._invoker = invoker
        self._deliveries_max = deliveries_max
        self._concurrent = asyncio.Semaphore(concurrent_max)
        self._last = 0
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver messages until canceled. Unfinished deliveries are repeated at the next start."""
        arrival = self._queues.arrival(self._queue)
        try:
            while True:
                arrival.clear()
                for message in self._queues.next_messages(self._queue, after=self._last, limit=_BATCH):
                    await self._concurrent.acquire()
                    self._last = message.number
                    task = asyncio.create_task(self._handle(message))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
                    arrival.set()
                await arrival.wait()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def run_once(self, text: str) -> None:
        """Call the function with a message given by a person."""
        message = QueueMessage(number=0, queue=self._queue, message_id=uuid.uuid4().hex, body=text.encode())
        await self._invoker.call(self.function, _decode(self.function.kind, message, deliveries=1))

    async def _handle(self, message: QueueMessage) -> None:
        try:
            deliveries = message.deliveries
            while deliveries < self._deliveries_max:
                deliveries = self._queues.count_delivery(message.number)
                if await self._deliver(message, deliveries):
                    self._queues.complete(message.number)
                    return
            reason = f"MaxDeliveryCountExceeded: delivered {deliveries} times"
            self._queues.dead_letter(message.number, reason)
            log.error("Message %s of queue '%s' is now a dead letter: %s", message.message_id, self._queue, reason)
        finally:
            self._concurrent.release()

    async def _deliver(self, message: QueueMessage, deliveries: int) -> bool:
        try:
            await self._invoker.call(self.function, _decode(self.function.kind, message, deliveries))
        except Exception:
            what = f"message {message.message_id} (delivery {deliveries})"
            log.exception("Queue function '%s' failed on %s.", self.function.name, what)
            return False
        return True


_BATCH = 32

_SELECT = f"SELECT {','.join(QueueMessage._fields)} FROM queue_messages"  # noqa: S608 - the names are fixed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queue_messages(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  message_id TEXT NOT NULL,
  body BLOB NOT NULL,
  content_type TEXT,
  properties TEXT NOT NULL,
  enqueued_at INTEGER NOT NULL,
  deliveries INTEGER NOT NULL,
  reason TEXT
);
CREATE INDEX IF NOT EXISTS queue_messages_by_queue ON queue_messages(queue,number);
"""


def _decode(kind: str, message: QueueMessage, deliveries: int) -> Any:
    """Build the SDK's message with the SDK's own converters."""
    enqueued = stamp(from_micros(message.enqueued_at))
    if kind == SERVICE_BUS:
        metadata = {
            "MessageId": Datum(message.message_id, "string"),
            "ContentType": Datum(message.content_type, None if message.content_type is None else "string"),
            "DeliveryCount": Datum(deliveries, "int"),
            "SequenceNumber": Datum(message.number, "int"),
            "EnqueuedSequenceNumber": Datum(message.number, "int"),
            "EnqueuedTimeUtc": Datum(enqueued, "string"),
            "LockToken": Datum(uuid.uuid4().hex, "string"),
            "UserProperties": Datum(message.properties, "json"),
            "ApplicationProperties": Datum(message.properties, "json"),
        }
        return ServiceBusMessageInConverter.decode(Datum(message.body, "bytes"), trigger_metadata=metadata)
    metadata = {
        "Id": Datum(message.message_id, "string"),
        "DequeueCount": Datum(deliveries, "int"),
        "InsertionTime": Datum(enqueued, "string"),
        "PopReceipt": Datum(uuid.uuid4().hex, "string"),
    }
    return QueueMessageInConverter.decode(Datum(message.body, "bytes"), trigger_metadata=metadata)


def describe(message: QueueMessage) -> dict[str, Any]:
    """Describe a dead letter for people; bytes of the body that are not UTF-8 become U+FFFD."""
    return {
        "messageId": message.message_id,
        "body": message.body.decode("utf-8", "replace"),
        "contentType": message.content_type,
        "applicationProperties": json.loads(message.properties),
        "deliveryCount": message.deliveries,
        "deadLetterReason": message.reason,
    }
