"""Report tokens: valid for one attempt of one job, until they expire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mayfly.errors import Unauthorized
from mayfly.report_tokens import ReportTokens

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TOKENS = ReportTokens(b"k" * 32)
TOKEN = TOKENS.sign("ada-abcdefghij", 2, now=NOW, lifetime_s=60)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_token_names_its_attempt(scheme: str) -> None:
    assert TOKENS.check(f"{scheme} {TOKEN}", "ada-abcdefghij", now=NOW + timedelta(seconds=59)) == 2


@pytest.mark.parametrize(
    ("authorization", "job_id", "after_s", "status"),
    [
        (None, "ada-abcdefghij", 0, 401),
        ("Bearer", "ada-abcdefghij", 0, 401),
        (f"Basic {TOKEN}", "ada-abcdefghij", 0, 401),
        (f"Bearer {TOKEN}x", "ada-abcdefghij", 0, 401),
        (f"Bearer {TOKEN}", "ada-abcdefghij", 60, 401),
        (f"Bearer {TOKEN}", "bob-abcdefghij", 0, 403),
    ],
)
def test_any_other_credential_is_rejected(authorization: str | None, job_id: str, after_s: float, status: int) -> None:
    with pytest.raises(Unauthorized) as rejected:
        TOKENS.check(authorization, job_id, now=NOW + timedelta(seconds=after_s))
    assert rejected.value.status == status


def test_another_key_signs_other_tokens() -> None:
    with pytest.raises(Unauthorized):
        ReportTokens(b"o" * 32).check(f"Bearer {TOKEN}", "ada-abcdefghij", now=NOW)


def test_a_key_that_is_too_short_is_rejected_with_both_lengths() -> None:
    with pytest.raises(ValueError, match=r"at least 32 bytes \(got 5\)"):
        ReportTokens(b"short")
