"""A refusal in words has the platform's code, its message and the fix."""

from __future__ import annotations

from mayfly.jobs import commands as c
from mayfly.jobs.refusal import Refusal
from tests.mayfly.jobs.lived import lived


def test_a_job_shows_the_refusal_in_the_same_words() -> None:
    refusal = Refusal(kind="permanent", code="InvalidImage", message="no such tag", hint="push the image first")
    job = lived(c.RequestContainer(place="local"), c.RefuseContainer(attempt=1, refusal=refusal))
    assert str(refusal) == "InvalidImage: no such tag (push the image first)"
    assert job.attempts[0].message == str(refusal)
