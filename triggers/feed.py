"""The projector: fold the events from the log's change feed into the views."""

import azure.functions as func

from mayfly import composition
from mayfly.jobs.events import from_document
from mayfly.telemetry.job_context import record_projection_lag
from mayfly.views.projection import project

feed = func.Blueprint()  # that of Durable Functions has no `retry` from version 2 on


@feed.function_name("project_events")
@feed.cosmos_db_trigger(
    arg_name="documents",
    connection="MAYFLY_COSMOS",
    database_name="mayfly",
    container_name="events",
    lease_container_name="leases",
    start_from_beginning=True,
    feed_poll_delay=1_000,
    max_items_per_invocation=1_000,
)
@feed.retry(
    # Without a policy, a failed batch is skipped, and the views would be wrong until the next event of the job.
    strategy="exponential_backoff",
    max_retry_count="-1",
    minimum_interval="00:00:01",
    maximum_interval="00:05:00",
)
async def project_events(documents: func.DocumentList) -> None:
    """Fold a batch of events into the views."""
    mayfly = composition.current()
    events = [from_document(document) for document in documents]
    if events:
        record_projection_lag((mayfly.clock.now() - min(event.at for event in events)).total_seconds())
    await project(events, log=mayfly.log, views=mayfly.views)
