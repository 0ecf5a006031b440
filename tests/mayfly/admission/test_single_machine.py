"""`single_machine`: the contract, and the ledger's initial state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from mayfly.admission.admission import Admission, Admitted
from mayfly.admission.single_machine import single_machine
from tests.contracts.admission import AdmissionContract
from tests.contracts.job_views import job
from tests.mayfly.jobs.samples import T0


class TestSingleMachine(AdmissionContract):
    def open(self, *, groups_max: int, present: Sequence[str] = ()) -> Admission:
        async def jobs_present() -> Sequence[str]:
            await asyncio.sleep(0)  # like a runtime that lists its groups
            return present

        return single_machine("local", groups_max=groups_max, jobs_present=jobs_present)


def test_a_runtime_that_cannot_list_its_groups_is_asked_again_at_the_next_admission() -> None:
    answers = [OSError("no answer"), None]

    async def jobs_present() -> Sequence[str]:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return []

    admission = single_machine("local", groups_max=1, jobs_present=jobs_present)
    with pytest.raises(OSError, match="no answer"):
        asyncio.run(admission.admit(job(1), now=T0))
    assert asyncio.run(admission.admit(job(1), now=T0)) == Admitted(place="local")
