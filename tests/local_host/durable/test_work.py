"""Work items, as the hub's rows become them."""

from __future__ import annotations

from local_host.durable.hub import PendingActivity
from local_host.durable.work import ActivityCall


def test_a_call_has_everything_that_the_hub_knows_of_the_activity() -> None:
    pending = PendingActivity(number=7, key=1, task_id=2, name="A", input='"x"', instance_id="i")
    assert ActivityCall.of(pending) == ActivityCall(
        number=7, key=1, task_id=2, name="A", input_text='"x"', instance_id="i"
    )
