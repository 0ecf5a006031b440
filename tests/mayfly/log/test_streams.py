"""Carrying out a command: it is decided again if another writer was faster, and abandoned after 20 tries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from mayfly.errors import NotFound, TryAgain
from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.log.streams import Streams
from tests.mayfly.composed import Composed, HandClock
from tests.mayfly.jobs.samples import CLAIM, JOB_ID, OTHER_CLAIM, event, opening
from tests.mayfly.log.memory import MemoryEventLog


class Overtaken(MemoryEventLog):
    """A log in which another writer appends first, a number of times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def append(self, events: Sequence[e.Event], *, expected_position: int) -> None:
        if expected_position > 0 and self.times > 0:
            self.times -= 1
            other = e.LogsCaptured(text=str(self.times), truncated=False)
            await super().append([event(other, expected_position + 1)], expected_position=expected_position)
        await super().append(events, expected_position=expected_position)


@pytest.mark.parametrize("times", [0, 1, 19])
def test_a_command_that_was_overtaken_is_decided_again_on_the_current_job(times: int) -> None:
    async def cancel() -> None:
        log = Overtaken(times)
        streams = Streams(log, HandClock())
        await log.append([opening()], expected_position=0)
        outcome = await streams.carry_out(c.RequestCancel(source="http"), await streams.load(JOB_ID))
        assert [each.type for each in outcome.events] == ["CancelRequested", "JobCanceled"]
        assert outcome.before.position == 1 + times
        assert outcome.after == await streams.load(JOB_ID)

    asyncio.run(cancel())


def test_a_command_on_a_stream_that_always_moves_is_abandoned() -> None:
    async def cancel() -> None:
        log = Overtaken(20)
        streams = Streams(log, HandClock())
        await log.append([opening()], expected_position=0)
        job = await streams.load(JOB_ID)
        with pytest.raises(TryAgain, match="gave up after 20 concurrent writes"):
            await streams.carry_out(c.RequestCancel(source="http"), job)
        assert (await streams.load(JOB_ID)).state == "queued"

    asyncio.run(cancel())


def test_of_two_workers_that_claim_concurrently_one_gets_the_claim(composed: Composed) -> None:
    """I4."""
    job_id = composed.submit()
    composed.begin(job_id)
    job = composed.job(job_id)
    streams = composed.mayfly.streams

    async def both() -> None:
        await asyncio.gather(
            *(
                streams.carry_out(c.ClaimAttempt(attempt=1, claim=claim), job)
                for claim in (CLAIM, OTHER_CLAIM, CLAIM, OTHER_CLAIM)
            )
        )

    composed.runner.run(both())
    assert composed.types(job_id).count("WorkerStarted") == 1
    assert composed.types(job_id).count("ReportIgnored") == 1


def test_an_unknown_job_is_not_found() -> None:
    with pytest.raises(NotFound, match="there is no job 'ada-abcdefghij'"):
        asyncio.run(Streams(MemoryEventLog(), HandClock()).load(JOB_ID))
