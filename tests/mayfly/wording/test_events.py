from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from mayfly.cli.event_screen import event_line
from mayfly.jobs.events import KINDS, Body, Event
from mayfly.wording.events import describe

_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
_SAMPLES: dict[str, dict[str, object]] = {
    "JobSubmitted": {"spec": {"command": ["python", "-c", "print('x')\nprint('y')"]}},
    "JobHeld": {"reason": "98 of 100 cores are used", "until": _AT.isoformat()},
    "ContainerRequested": {
        "group": "ada-aaaaaaaaaa-1-local",
        "place": "local",
        "image": None,
        "cpu": 0.5,
        "memory_gb": 1.5,
        "start_deadline": _AT.isoformat(),
    },
    "ContainerRefused": {"refusal": "wait", "code": "Quota", "message": "no cores", "hint": "wait"},
    "ContainerStarted": {"started_at": _AT.isoformat()},
    "WorkerStarted": {"claim": "0" * 32, "run_deadline": _AT.isoformat()},
    "WorkerProgressed": {"sequence": 1, "fraction": 0.4, "message": "resizing"},
    "WorkerSucceeded": {
        "result": {"n": 1},
        "exit_code": 0,
        "output_tail": "",
        "cpu_s": 1.0,
        "memory_peak_bytes": 10**7,
    },
    "WorkerFailed": {"error": "exit", "message": "the command exited with code 3", "exit_code": 3, "output_tail": ""},
    "ContainerExited": {"exit_code": None, "detail": "killed from outside"},
    "AttemptTimedOut": {"deadline": "run"},
    "LogsCaptured": {"text": "secret text", "truncated": True},
    "MetricsSampled": {"samples": [[_AT.isoformat(), 0.5, 1_000]]},
    "RetryScheduled": {"at": _AT.isoformat(), "reason": "it failed"},
    "CancelRequested": {"reason": "no longer needed"},
    "ContainerDeleteRequested": {"group": "ada-aaaaaaaaaa-1-local"},
    "ContainerGone": {"group": "ada-aaaaaaaaaa-1-local"},
    "ContainerFound": {"group": "ada-aaaaaaaaaa-1-local"},
    "ReportIgnored": {"report": "finished", "reason": "attempt_over", "claim": "0" * 32},
    "JobSucceeded": {},
    "JobFailed": {"error": "exit", "message": "the command exited with code 3"},
    "JobTimedOut": {"deadline": "start"},
    "JobCanceled": {},
    "JobArchived": {},
}
_IMPORTANT = {
    "JobSubmitted": ["python", "print"],
    "JobHeld": ["98 of 100 cores"],
    "ContainerRequested": ["attempt 2", "ada-aaaaaaaaaa-1-local", "0.5 CPU", "1.5 GB", "local"],
    "ContainerRefused": ["Quota", "no cores"],
    "WorkerProgressed": ["40%", "resizing"],
    "WorkerSucceeded": ['{"n": 1}', "1.00 s", "10 MB"],
    "WorkerFailed": ["exited with code 3"],
    "ContainerExited": ["unknown exit code", "killed from outside"],
    "AttemptTimedOut": ["run deadline"],
    "RetryScheduled": ["attempt 3", "it failed"],
    "CancelRequested": ["no longer needed"],
    "ReportIgnored": ["finished", "already over"],
}


def _event(kind: str) -> Event:
    body: Body = TypeAdapter(KINDS[kind]).validate_python(_read(kind))
    return Event(job_id="ada-aaaaaaaaaa", position=1, at=_AT, attempt=2, source="http", body=body)


def _read(kind: str) -> dict[str, object]:
    return dict(_SAMPLES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_has_its_own_description(kind: str) -> None:
    text = describe(_event(kind))

    assert text.strip()
    assert text.isprintable()
    for part in _IMPORTANT.get(kind, []):
        assert part in text


def test_no_two_kinds_without_fields_say_the_same() -> None:
    texts = [describe(_event(kind)) for kind in KINDS]

    assert len(set(texts)) == len(texts) - 1  # both JobFailed and WorkerFailed repeat the error


def test_captured_output_is_not_repeated_in_its_event() -> None:
    assert "secret text" not in describe(_event("LogsCaptured"))


def test_an_event_line_moves_no_cursor_whatever_a_job_says() -> None:
    body = TypeAdapter(KINDS["WorkerProgressed"]).validate_python(
        {"sequence": 1, "fraction": None, "message": "\x1b[2Jgone\r\n[bold]x[/bold]"}
    )
    event = Event(job_id="ada-aaaaaaaaaa", position=1, at=_AT, attempt=1, source="worker", body=body)

    line = event_line(event).plain

    assert "\x1b" not in line
    assert "\n" not in line
    assert "[bold]x[/bold]" in line
