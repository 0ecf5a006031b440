"""Receive a worker's report: validate it, write its event, and wake the orchestrator if the attempt is over."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from mayfly.app import Mayfly
from mayfly.errors import Rejected, TryAgain
from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.names import attempt_ended_event
from mayfly.jobs.reports import Verdict, kind_of
from mayfly.jobs.spec import ErrorClass, StrictModel
from mayfly.orchestrators import Orchestrators
from mayfly.validation import shown, suggestion, validated

RESULT_BYTES_MAX = 65_536
OUTPUT_CHARS_MAX = 16_384
MESSAGE_CHARS_MAX = 2_000

_TITLE = "invalid report"

_logger = logging.getLogger("mayfly.use_cases.receive_report")

Claim = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
ExitCode = Annotated[int, Field(ge=0, le=255)]


class _Report(StrictModel):
    claim: Claim


class Usage(StrictModel):
    """CPU time and memory of the command, as measured by the worker."""

    cpu_s: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    memory_peak_bytes: int | None = Field(default=None, ge=0, le=2**60)


class Failure(StrictModel):
    """Why the command failed."""

    model_config = ConfigDict(populate_by_name=True)

    error: ErrorClass = Field(alias="class")
    message: str = Field(max_length=MESSAGE_CHARS_MAX)


class Started(_Report):
    """The first report: it claims the attempt for this worker."""

    type: Literal["started"]


class Progress(_Report):
    """Progress of the command; with no new progress, a heartbeat."""

    type: Literal["progress"]
    sequence: int = Field(ge=1, le=2**31)
    fraction: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    message: str = Field(default="", max_length=500)


class Finished(_Report):
    """The last report: the outcome of the command."""

    type: Literal["finished"]
    outcome: Literal["succeeded", "failed"]
    exit_code: ExitCode | None = None
    result: Any = None
    error: Failure | None = None
    output_tail: str = Field(default="", max_length=OUTPUT_CHARS_MAX)
    usage: Usage = Usage()

    @field_validator("result")
    @classmethod
    def _result_is_small(cls, value: Any) -> Any:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
        if size > RESULT_BYTES_MAX:
            rule = f"must be at most {RESULT_BYTES_MAX} bytes of JSON"
            raise ValueError(f"{rule} (got {size}): store it and report its location")
        return value


Report = Annotated[Started | Progress | Finished, Field(discriminator="type")]
"""The JSON object that a worker sends."""

_KINDS: dict[str, type[Started | Progress | Finished]]
_KINDS = {"started": Started, "progress": Progress, "finished": Finished}


def parse_report(document: Mapping[str, Any], *, attempt: int) -> c.Report:
    """Return the command in a report's JSON object. Errors: `Rejected` (422), a `FieldError` for each mistake."""
    kind = document.get("type")
    model = _KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        hint = suggestion(kind, list(_KINDS)) if isinstance(kind, str) else f"expected one of {', '.join(_KINDS)}"
        raise Rejected.of_field(_TITLE, "type", f"unknown type; {hint} (got {shown(kind)})")
    report = validated(model, document, title=_TITLE)
    if isinstance(report, Started):
        return c.ClaimAttempt(attempt=attempt, claim=report.claim)
    return c.ReportWork(attempt=attempt, claim=report.claim, body=_body(report))


async def receive(
    mayfly: Mayfly, orchestrators: Orchestrators, job_id: str, attempt: int, document: Mapping[str, Any]
) -> Verdict:
    """Record a report and return its verdict. The caller has checked the token for this attempt.

    Errors: `Rejected`, `NotFound`, `TryAgain`; nothing is written.
    """
    report = parse_report(document, attempt=attempt)
    outcome = await mayfly.streams.carry_out(report, await mayfly.streams.load(job_id))
    verdict = outcome.verdict
    if verdict is None:
        raise ValueError(f"the decision on a {type(report).__name__} has no verdict")
    if kind_of(report) == "finished" and verdict in ("accept", "seen"):
        try:
            await orchestrators.wake(job_id, attempt_ended_event(attempt))
        except TryAgain as error:
            # The result is safe in the log; the orchestrator's next poll finds it.
            _logger.warning("waking %s: %s", job_id, error)
    return verdict


def _body(report: Progress | Finished) -> e.WorkerProgressed | e.WorkerSucceeded | e.WorkerFailed:
    if isinstance(report, Progress):
        return e.WorkerProgressed(sequence=report.sequence, fraction=report.fraction, message=report.message)
    if report.outcome == "succeeded":
        if report.error is not None:
            raise Rejected.of_field(_TITLE, "error", "is only allowed with outcome failed: leave it out")
        return e.WorkerSucceeded(
            result=report.result,
            exit_code=report.exit_code,
            output_tail=report.output_tail,
            cpu_s=report.usage.cpu_s,
            memory_peak_bytes=report.usage.memory_peak_bytes,
        )
    if report.error is None:
        raise Rejected.of_field(_TITLE, "error", "is required with outcome failed")
    if report.result is not None:
        raise Rejected.of_field(_TITLE, "result", "is only allowed with outcome succeeded: use error")
    return e.WorkerFailed(
        error=report.error.error,
        message=report.error.message,
        exit_code=report.exit_code,
        output_tail=report.output_tail,
        cpu_s=report.usage.cpu_s,
        memory_peak_bytes=report.usage.memory_peak_bytes,
    )
