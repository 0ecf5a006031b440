"""The contract of every `Admission`, whatever its places.

An adapter joins with a subclass whose name begins with `Test` and one method:

    class TestPlaces(AdmissionContract):
        def open(self, *, groups_max: int, present: Sequence[str] = ()) -> Admission: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from mayfly.admission.admission import Admission, Admitted, Held
from mayfly.jobs.job import Job
from tests.contracts.job_views import job
from tests.mayfly.jobs.samples import T0, job_id_numbered


class AdmissionContract:
    place = "local"

    def open(self, *, groups_max: int, present: Sequence[str] = ()) -> Admission:
        """Return an admission as after a restart, with room for `groups_max` groups; these jobs already have one."""
        raise NotImplementedError

    def test_a_job_is_admitted_while_there_is_room(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=2)
        answers = [runner.run(admission.admit(job(number), now=T0)) for number in range(3)]
        assert answers[:2] == [Admitted(place=self.place)] * 2
        assert isinstance(answers[2], Held)

    def test_a_held_job_gets_the_usage_and_the_time_of_the_next_request(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=1)
        runner.run(admission.admit(job(1), now=T0))
        held = runner.run(admission.admit(job(2), now=T0))
        assert isinstance(held, Held)
        assert "1 of 1" in held.reason
        assert T0 < held.until <= T0 + timedelta(minutes=5)

    def test_a_repeated_request_of_an_admitted_job_takes_no_second_share(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=2)
        for _ in range(3):
            assert runner.run(admission.admit(job(1), now=T0)) == Admitted(place=self.place)
        assert runner.run(admission.admit(job(2), now=T0)) == Admitted(place=self.place)

    def test_a_released_share_goes_to_the_job_that_was_held_first(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=1)
        for number in (1, 2, 3):
            runner.run(admission.admit(job(number), now=T0))
        runner.run(admission.release(job_id_numbered(1)))
        later = T0 + timedelta(seconds=1)
        assert isinstance(runner.run(admission.admit(job(3), now=later)), Held)
        assert isinstance(runner.run(admission.admit(job(4), now=later)), Held)
        assert runner.run(admission.admit(job(2), now=later)) == Admitted(place=self.place)

    def test_jobs_are_admitted_in_the_order_of_their_first_requests(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=1)
        runner.run(admission.admit(job(0), now=T0))
        asked: dict[int, datetime] = {}
        for number in range(1, 8):
            held = runner.run(admission.admit(job(number), now=T0))
            assert isinstance(held, Held)
            asked[number] = held.until
        admitted: list[int] = []
        current, now = 0, T0
        while asked:
            runner.run(admission.release(job_id_numbered(current)))
            while len(admitted) < current + 1 and asked:
                number = min(asked, key=lambda each: asked[each])
                now = max(now, asked[number])
                answer = runner.run(admission.admit(job(number), now=now))
                if isinstance(answer, Admitted):
                    admitted.append(number)
                    del asked[number]
                else:
                    asked[number] = answer.until
            current = admitted[-1]
        assert admitted == list(range(1, 8))

    def test_releasing_a_job_that_was_not_admitted_frees_nothing(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=1)
        runner.run(admission.admit(job(1), now=T0))
        for _ in range(3):
            runner.run(admission.release(job_id_numbered(9)))
        assert isinstance(runner.run(admission.admit(job(2), now=T0)), Held)

    def test_releasing_twice_frees_one_share(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=2)
        for number in (1, 2):
            runner.run(admission.admit(job(number), now=T0))
        for _ in range(2):
            runner.run(admission.release(job_id_numbered(1)))
        assert isinstance(runner.run(admission.admit(job(3), now=T0)), Admitted)
        assert isinstance(runner.run(admission.admit(job(4), now=T0)), Held)

    def test_after_a_restart_existing_groups_count(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=2, present=[job_id_numbered(1), job_id_numbered(2)])
        assert isinstance(runner.run(admission.admit(job(3), now=T0)), Held)
        assert runner.run(admission.admit(job(1), now=T0)) == Admitted(place=self.place)

    def test_a_job_that_does_not_return_loses_its_place_in_the_queue(self, runner: asyncio.Runner) -> None:
        admission = self.open(groups_max=1)
        for number in (1, 2, 3):
            runner.run(admission.admit(job(number), now=T0))
        runner.run(admission.release(job_id_numbered(1)))
        now = T0
        for _ in range(1_000):
            answer = runner.run(admission.admit(job(3), now=now))
            if isinstance(answer, Admitted):
                break
            now = answer.until
        assert answer == Admitted(place=self.place)

    @pytest.mark.parametrize("present", [0, 2])
    def test_of_many_concurrent_requests_after_a_restart_only_as_many_as_fit_are_admitted(
        self, runner: asyncio.Runner, present: int
    ) -> None:
        admission = self.open(groups_max=5, present=[job_id_numbered(100 + number) for number in range(present)])
        jobs: list[Job] = [job(number) for number in range(20)]

        async def ask() -> list[Admitted | Held]:
            return await asyncio.gather(*(admission.admit(each, now=T0) for each in jobs))

        first = runner.run(ask())
        again = runner.run(ask())
        admitted = [isinstance(answer, Admitted) for answer in first]
        assert admitted.count(True) == 5 - present
        assert [isinstance(answer, Admitted) for answer in again] == admitted
