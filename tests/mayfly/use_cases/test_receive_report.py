"""Receiving reports: what the worker contract allows goes in, and the orchestrator is woken by the end alone."""

from __future__ import annotations

from typing import Any

import pytest

from mayfly.errors import Rejected
from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.use_cases.receive_report import parse_report
from tests.mayfly.composed import STARTED, SUCCEEDED, Composed
from tests.mayfly.jobs.samples import CLAIM


def _begun(composed: Composed) -> str:
    job_id = composed.submit()
    composed.begin(job_id)
    composed.report(job_id, STARTED)
    return job_id


@pytest.mark.parametrize(
    "result",
    [None, 0, "", [], {}, "x" * 65_534, "é" * 32_767, ["😀" * 8_000], [1] * 32_000],
    ids=lambda v: repr(v)[:20],
)
def test_a_result_of_64_kb_as_printed_is_kept(composed: Composed, result: Any) -> None:
    """Whatever the script: the worker measures UTF-8, so this end must not count escapes."""
    job_id = _begun(composed)
    assert composed.report(job_id, {**SUCCEEDED, "result": result}) == "accept"
    assert composed.job(job_id).result == result


@pytest.mark.parametrize("result", ["x" * 65_535, "é" * 32_768], ids=["ascii", "not ascii"])
def test_a_larger_result_is_rejected_with_its_size(composed: Composed, result: str) -> None:
    with pytest.raises(
        Rejected, match=r"must be at most 65536 bytes of JSON \(got 6553[78]\): store it and report its location"
    ):
        parse_report({**SUCCEEDED, "result": result}, attempt=1)


def test_each_kind_becomes_its_command() -> None:
    assert parse_report(STARTED, attempt=2) == c.ClaimAttempt(attempt=2, claim=CLAIM)
    progress = {"type": "progress", "claim": CLAIM, "sequence": 1, "fraction": None}
    assert parse_report(progress, attempt=2) == c.ReportWork(
        attempt=2, claim=CLAIM, body=e.WorkerProgressed(sequence=1, fraction=None, message="")
    )
    failed = {
        "type": "finished",
        "claim": CLAIM,
        "outcome": "failed",
        "error": {"class": "exit", "message": "no"},
        "exit_code": 3,
        "usage": {"cpu_s": 1.5, "memory_peak_bytes": 7},
    }
    assert parse_report(failed, attempt=2) == c.ReportWork(
        attempt=2,
        claim=CLAIM,
        body=e.WorkerFailed(error="exit", message="no", exit_code=3, output_tail="", cpu_s=1.5, memory_peak_bytes=7),
    )


def test_only_the_end_wakes_the_orchestrator(composed: Composed) -> None:
    job_id = _begun(composed)
    composed.report(job_id, {"type": "progress", "claim": CLAIM, "sequence": 1})
    assert composed.orchestrators.woken == []
    composed.report(job_id, SUCCEEDED)
    composed.report(job_id, SUCCEEDED)
    assert composed.orchestrators.woken == [(job_id, "attempt-1-ended")] * 2


def test_a_report_is_kept_if_the_durable_host_is_unavailable(composed: Composed) -> None:
    job_id = _begun(composed)
    composed.orchestrators.silent = True
    assert composed.report(job_id, SUCCEEDED) == "accept"
    assert composed.job(job_id).state == "succeeded"


def test_a_worker_can_log_progress_a_thousand_times_at_most(composed: Composed) -> None:
    job_id = _begun(composed)
    verdicts = [
        composed.report(job_id, {"type": "progress", "claim": CLAIM, "sequence": number}) for number in range(1, 1_006)
    ]
    assert verdicts == ["accept"] * 1_000 + ["seen"] * 5
    assert composed.report(job_id, SUCCEEDED) == "accept"
