"""Requests hide their secrets, and a refusal is an error in the platform's words."""

from __future__ import annotations

from mayfly.containers.runtime import GroupRefused, GroupRequest
from mayfly.jobs.refusal import Refusal


def test_the_secrets_of_a_request_are_not_in_its_repr() -> None:
    """I8."""
    request = GroupRequest(
        group="ada-1",
        place="local",
        job_id="ada",
        attempt=1,
        image=None,
        command=(),
        env={"SIZE": "big"},
        secure_env={"PASSWORD": "pa55"},
        cpu=1.0,
        memory_gb=1.5,
    )
    assert "big" in repr(request)
    assert "pa55" not in repr(request)


def test_a_refused_group_has_the_refusal_and_its_words() -> None:
    refusal = Refusal(kind="wait", code="QuotaReached", message="100 of 100 used", hint="request a larger quota")
    refused = GroupRefused(refusal)
    assert refused.refusal is refusal
    assert str(refused) == "QuotaReached: 100 of 100 used (request a larger quota)"
