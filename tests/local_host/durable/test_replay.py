"""The rules of the replay, with answers that the real SDK gave for the same history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from azure.durable_functions.orchestrator import Orchestrator

from local_host.durable import sdk
from local_host.durable.history import Event, EventType, encode, event, stamp
from local_host.durable.orchestrator_call import OrchestratorResult, call_orchestrator
from local_host.durable.replay import Decision, NewActivity, NewTimer, NonDeterminism, UnsupportedAction, decide
from tests.local_host.driving import Code

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT = stamp(NOW)
START = [
    event(EventType.ORCHESTRATOR_STARTED, AT),
    event(EventType.EXECUTION_STARTED, AT, Name="main", Version="", Input=None),
]


def asked(code: Code, *more: Event) -> tuple[OrchestratorResult, Decision]:
    """Ask the SDK and walk its answer."""
    sdk.prepare()
    history = [*START, *more]
    answer = call_orchestrator(
        Orchestrator.create(code),
        history=",".join(encode(each) for each in history),
        input_text=None,
        instance_id="i",
        parent_instance_id=None,
    )
    assert answer.sdk_error is None
    return answer, decide(history, answer, now=NOW)


def scheduled(task_id: int, name: str) -> Event:
    return event(EventType.TASK_SCHEDULED, AT, task_id, Name=name, Version="", Input="null")


def completed(task_id: int, result: str = "1") -> Event:
    return event(EventType.TASK_COMPLETED, AT, TaskScheduledId=task_id, Result=result)


def failed(task_id: int) -> Event:
    return event(EventType.TASK_FAILED, AT, TaskScheduledId=task_id, Reason="r", Details="d")


def timer(task_id: int) -> Event:
    return event(EventType.TIMER_CREATED, AT, task_id, FireAt=AT)


def fired(task_id: int) -> Event:
    return event(EventType.TIMER_FIRED, AT, TimerId=task_id, FireAt=AT)


def raised(name: str, value: str = "1") -> Event:
    return event(EventType.EVENT_RAISED, AT, Name=name, Input=value)


def new_names(decision: Decision) -> list[tuple[int, str]]:
    return [(new.task_id, "timer" if isinstance(new, NewTimer) else new.name) for new in decision.scheduled]


def two_steps(context: Any) -> Any:
    yield context.call_activity("A")
    yield context.call_activity("B")


def test_the_first_walk_schedules_the_first_action_only() -> None:
    _, decision = asked(two_steps)
    assert decision.scheduled == [NewActivity(task_id=0, name="A", input_text="null")]
    assert not decision.ended


def test_what_is_recorded_is_not_scheduled_again() -> None:
    _, decision = asked(two_steps, scheduled(0, "A"), completed(0))
    assert new_names(decision) == [(1, "B")]


def test_the_orchestration_ends_once_every_action_is_replayed() -> None:
    answer, decision = asked(two_steps, scheduled(0, "A"), completed(0), scheduled(1, "B"), completed(1))
    assert (answer.is_done, decision.ended, decision.scheduled) == (True, True, [])


def test_another_name_under_a_recorded_id_is_non_determinism() -> None:
    with pytest.raises(NonDeterminism) as caught:
        asked(two_steps, scheduled(0, "Z"))
    assert (caught.value.task_id, caught.value.recorded, caught.value.requested) == (0, "activity 'Z'", "activity 'A'")


def test_another_kind_under_a_recorded_id_is_non_determinism() -> None:
    with pytest.raises(NonDeterminism, match=r"the history records a timer, but the code now requests activity 'A'"):
        asked(two_steps, timer(0))


def test_a_record_without_its_action_is_non_determinism() -> None:
    with pytest.raises(NonDeterminism, match=r"id 1: the history records activity 'B', but .* requests nothing"):
        asked(two_steps, scheduled(0, "A"), scheduled(1, "B"))


def retried(context: Any) -> Any:
    yield context.call_activity_with_retry("A", df.RetryOptions(5_000, 2))


def test_a_retry_takes_an_id_for_each_pause_and_attempt() -> None:
    history: list[Event] = [scheduled(0, "A")]
    _, decision = asked(retried, *history, failed(0))
    assert decision.scheduled == [NewTimer(task_id=1, fire_at=NOW + timedelta(seconds=5))]
    history += [failed(0), timer(1)]
    _, decision = asked(retried, *history, fired(1))
    assert new_names(decision) == [(2, "A")]
    history += [fired(1), scheduled(2, "A")]
    answer, decision = asked(retried, *history, failed(2))
    assert (answer.error, decision.ended) == (None, False)
    assert decision.scheduled == [NewTimer(task_id=3, fire_at=NOW)]
    answer, decision = asked(retried, *history, failed(2), timer(3), fired(3))
    assert (answer.error, decision.ended) == ("r \n d", True)


def test_retries_side_by_side_take_their_ids_as_they_fail() -> None:
    def both(context: Any) -> Any:
        options = df.RetryOptions(1_000, 3)
        yield context.task_all(
            [context.call_activity_with_retry("A", options), context.call_activity_with_retry("B", options)]
        )

    _, decision = asked(both, scheduled(0, "A"), scheduled(1, "B"), failed(1), failed(0))
    assert new_names(decision) == [(2, "timer"), (3, "timer")]
    _, decision = asked(both, scheduled(0, "A"), scheduled(1, "B"), failed(1), timer(2), fired(2), failed(0))
    assert new_names(decision) == [(3, "B"), (4, "timer")]


def racing(context: Any) -> Any:
    late = context.create_timer(NOW + timedelta(hours=1))
    answered = context.wait_for_external_event("Answered")
    winner = yield context.task_any([answered, late])
    if winner is answered:
        late.cancel()
    yield context.call_activity("After")


def test_a_race_continues_with_the_first_and_names_the_canceled_timer() -> None:
    _, decision = asked(racing, timer(0), raised("Answered"))
    assert decision.cancelled_timers == [0]
    assert new_names(decision) == [(1, "After")]


def test_a_canceled_timer_that_fired_anyway_is_ignored() -> None:
    _, decision = asked(racing, timer(0), raised("Answered"), scheduled(1, "After"), fired(0), completed(1))
    assert decision.ended


def test_event_names_are_compared_case_insensitively() -> None:
    # The SDK is case-sensitive, so the orchestrator does not continue; but for the replay the wait is over.
    _, decision = asked(racing, timer(0), raised("ANSWERED"))
    assert (decision.ended, decision.scheduled) == (False, [])


def test_when_all_waits_for_all_even_when_one_has_failed() -> None:
    def both(context: Any) -> Any:
        try:
            yield context.task_all([context.call_activity("A"), context.call_activity("B")])
        except Exception:
            yield context.call_activity("Mend")

    records = [scheduled(0, "A"), scheduled(1, "B"), failed(0)]
    _, decision = asked(both, *records)
    assert decision.scheduled == []
    _, decision = asked(both, *records, completed(1))
    assert new_names(decision) == [(2, "Mend")]


def answer_of(*actions: dict[str, Any]) -> OrchestratorResult:
    return OrchestratorResult(actions=list(actions), is_done=True)


WAIT = {"actionType": 6, "externalEventName": "x", "reason": "ExternalEvent"}


def test_early_events_go_to_waits_in_the_order_in_which_they_came() -> None:
    assert _through([raised("x"), raised("x")], WAIT, WAIT)
    assert not _through([raised("x")], WAIT, WAIT)


def test_an_event_that_finds_several_waits_goes_to_the_newest() -> None:
    timer_action = {"actionType": 5, "fireAt": AT, "isCanceled": False}
    race = {"actionType": 11, "compoundActions": [WAIT, timer_action]}
    # The first wait lost its race; the second is newer and takes the event, so the replay reaches the end.
    assert _through([timer(0), fired(0), raised("x")], race, WAIT)
    both = {"actionType": 12, "compoundActions": [WAIT, WAIT]}
    assert not _through([raised("x")], both)
    assert _through([raised("x"), raised("x")], both)


def test_unread_events_are_passed_on_by_continue_as_new() -> None:
    history = [*START, raised("x", "1"), raised("y", "2"), raised("x", "3")]
    decision = decide(history, answer_of(WAIT, {"actionType": 4, "input": '"next"'}), now=NOW)
    assert (decision.ended, decision.continue_as_new, decision.continue_input) == (True, True, '"next"')
    assert [each["Input"] for each in decision.unread] == ["2", "3"]


def test_an_open_activity_delays_the_end() -> None:
    race = {"actionType": 11, "compoundActions": [WAIT, {"actionType": 0, "functionName": "A", "input": "null"}]}
    assert not _through([scheduled(0, "A"), raised("x")], race)
    assert _through([scheduled(0, "A"), raised("x"), completed(0)], race)


@pytest.mark.parametrize("kind", [7, 8, 9, 10, 99])
def test_actions_that_are_not_supported_are_named(kind: int) -> None:
    with pytest.raises(UnsupportedAction):
        decide(START, answer_of({"actionType": kind}), now=NOW)


def _through(events: Sequence[Event], *actions: dict[str, Any]) -> bool:
    return decide([*START, *events], answer_of(*actions), now=NOW).ended
