"""`evolve`: impossible events are refused, and long texts are cut."""

from __future__ import annotations

import pytest

from mayfly.errors import ImpossibleEvent
from mayfly.jobs import events as e
from mayfly.jobs.evolve import OUTPUT_CHARS_MAX, evolve, fold
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import next_state
from tests.mayfly.jobs.samples import CLAIM, ONE_OF_EACH, T0, event, opening

_REQUESTED = e.ContainerRequested(group="g", place="local", image=None, cpu=1, memory_gb=1, start_deadline=T0)
_STARTED = e.WorkerStarted(claim=CLAIM, run_deadline=T0)


def _after(*bodies: e.Body) -> Job:
    events = [event(body, position, attempt=1) for position, body in enumerate(bodies, 2)]
    job = fold([opening(), *events])
    assert job is not None
    return job


@pytest.mark.parametrize("body", ONE_OF_EACH[1:], ids=lambda body: type(body).__name__)
def test_a_stream_begins_with_its_submission(body: e.Body) -> None:
    with pytest.raises(ImpossibleEvent, match="no job yet"):
        evolve(None, event(body, 1))


def test_a_submission_at_another_position_than_the_first_is_refused() -> None:
    with pytest.raises(ImpossibleEvent):
        evolve(None, event(ONE_OF_EACH[0], 2))


@pytest.mark.parametrize("position", [0, 1, 3, 99])
def test_a_gap_or_a_repetition_is_refused(position: int) -> None:
    with pytest.raises(ImpossibleEvent, match=f"JobCanceled at position {position} of ada-abcdefghij"):
        evolve(_after(), event(e.JobCanceled(), position))


_SITUATIONS = {
    "queued": (),
    "starting": (_REQUESTED,),
    "running": (_REQUESTED, _STARTED),
    "succeeded": (_REQUESTED, _STARTED, e.JobSucceeded()),
    "canceled": (e.JobCanceled(),),
}


@pytest.mark.parametrize("body", ONE_OF_EACH, ids=lambda body: type(body).__name__)
@pytest.mark.parametrize("state", _SITUATIONS)
def test_the_tables_alone_decide_which_events_may_follow(state: str, body: e.Body) -> None:
    job = _after(*_SITUATIONS[state])
    assert job.state == state
    following = event(body, job.position + 1, attempt=1)
    expected = next_state(job.state, following.type)
    if expected is None:
        with pytest.raises(ImpossibleEvent):
            evolve(job, following)
    else:
        assert evolve(job, following).state == expected


def test_the_end_of_a_long_output_is_kept() -> None:
    text = "a" * 10_000 + "z"
    worked = e.WorkerSucceeded(result=None, exit_code=0, output_tail=text)
    job = _after(_REQUESTED, _STARTED, worked, e.JobSucceeded())
    assert job.output == text[-OUTPUT_CHARS_MAX:]


def test_the_captured_log_is_the_output_if_the_worker_reported_none() -> None:
    exited = e.ContainerExited(exit_code=1, detail="")
    failed = e.JobFailed(error="container_lost", message="gone")
    job = _after(_REQUESTED, exited, failed, e.LogsCaptured(text="last words", truncated=False))
    assert job.output == "last words"
    assert job.attempts[0].logs_position == 5


def test_an_unknown_exit_code_is_never_read_as_zero() -> None:
    job = _after(_REQUESTED, e.ContainerExited(exit_code=None, detail="killed"))
    attempt = job.attempts[0]
    assert (attempt.outcome, attempt.exit_code, attempt.exit_seen) == ("failed", None, True)
    assert "an unknown exit code" in (attempt.message or "")


def test_folding_further_is_folding_from_the_beginning() -> None:
    stream = [opening(), event(_REQUESTED, 2, attempt=1), event(_STARTED, 3, attempt=1)]
    assert fold(stream[1:], fold(stream[:1])) == fold(stream)
    assert fold([]) is None
