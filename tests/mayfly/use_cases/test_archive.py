"""Archiving: once, and only after the end."""

from __future__ import annotations

from mayfly.use_cases.archive import archive
from mayfly.use_cases.cancel import cancel
from tests.mayfly.composed import Composed


def test_a_job_is_archived_once_and_only_after_its_end(composed: Composed) -> None:
    job_id, run = composed.submit(), composed.runner.run
    assert not run(archive(composed.mayfly, job_id, source="cli")).archived
    run(cancel(composed.mayfly, composed.orchestrators, job_id, source="cli", reason=None))
    for _ in range(2):
        assert run(archive(composed.mayfly, job_id, source="cli")).archived
    assert composed.types(job_id).count("JobArchived") == 1
