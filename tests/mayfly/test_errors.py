"""Errors name the values and the fix, and their kind decides who acts next."""

from __future__ import annotations

import pytest

from mayfly.errors import (
    FieldError,
    ImpossibleEvent,
    MayflyError,
    NotFound,
    PositionTaken,
    Rejected,
    RuntimeUnavailable,
    SecretMissing,
    TryAgain,
    Unauthorized,
)


@pytest.mark.parametrize(
    ("error", "texts"),
    [
        (NotFound("ada-1"), ["'ada-1'", "GET /api/jobs"]),
        (Unauthorized("the token has expired", status=401), ["not authorized", "the token has expired"]),
        (PositionTaken(job_id="ada-1", expected_position=7), ["ada-1", "position 7", "load it and decide again"]),
        (
            ImpossibleEvent(job_id="ada-1", position=3, event_type="JobFailed", state="succeeded"),
            ["JobFailed", "position 3 of ada-1", "'succeeded'"],
        ),
        (SecretMissing("db-password", "add it to the vault"), ["'db-password'", "add it to the vault"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_names_its_values_and_the_fix(error: MayflyError, texts: list[str]) -> None:
    assert [text for text in texts if text not in str(error)] == []


def test_a_rejection_lists_every_field() -> None:
    errors = [FieldError(field="cpu", message="is too large"), FieldError(field="name", message="is too long")]
    rejected = Rejected("invalid job spec", errors)
    assert str(rejected) == "invalid job spec; cpu: is too large; name: is too long"
    assert (rejected.status, rejected.errors) == (422, tuple(errors))


def test_the_status_of_a_rejection_is_a_client_error() -> None:
    found = [error.status for error in (Rejected("no"), NotFound("a"), Unauthorized("no", status=403))]
    assert found == [422, 404, 403]


def test_an_unavailable_platform_is_retried_and_a_missing_secret_is_not() -> None:
    assert isinstance(RuntimeUnavailable("no answer"), TryAgain)
    assert not isinstance(SecretMissing("a", "b"), TryAgain)
