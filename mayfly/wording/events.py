"""Every event in words, one line each."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from mayfly.jobs import events as e
from mayfly.wording.specs import work
from mayfly.wording.text import clean
from mayfly.wording.times import clock

_CHARS_MAX = 160


def words(event: e.Event, *, tell: Callable[[datetime], str] = clock) -> str:
    """Return what an event says, without its time, job and kind; `tell` puts the times in it into words."""
    return clean(_words(event.body, event.attempt, tell), _CHARS_MAX)


def _words(body: e.Body, attempt: int, tell: Callable[[datetime], str]) -> str:
    match body:
        case e.JobSubmitted():
            return work(body.spec)
        case e.JobHeld():
            return f"{body.reason}; asked again at {tell(body.until)}"
        case e.ContainerRequested():
            size = f"{body.cpu:g} CPU, {body.memory_gb:g} GB"
            return f"attempt {attempt}: {body.group} ({size}) in {body.place}"
        case e.ContainerRefused():
            return f"{body.refusal}: {body.code}: {body.message} ({body.hint})"
        case e.ContainerStarted():
            return f"attempt {attempt} was seen to run" + _since(body.started_at, tell)
        case e.WorkerStarted():
            return f"attempt {attempt} is claimed, and must be done by {tell(body.run_deadline)}"
        case e.WorkerProgressed():
            return " ".join([*([f"{body.fraction:.0%}"] if body.fraction is not None else []), body.message])
        case e.WorkerSucceeded():
            return _result(body.result) + _usage(body.cpu_s, body.memory_peak_bytes)
        case e.WorkerFailed():
            return f"{body.error}: {body.message}" + _usage(body.cpu_s, body.memory_peak_bytes)
        case e.ContainerExited():
            code = "with an unknown exit code" if body.exit_code is None else f"with exit code {body.exit_code}"
            detail = f": {body.detail}" if body.detail else ""
            return f"attempt {attempt} ended {code} and without the worker's report{detail}"
        case e.AttemptTimedOut():
            return f"attempt {attempt} missed its {body.deadline} deadline"
        case e.LogsCaptured():
            kept = f"{len(body.text)} characters of output kept"
            return f"{kept}, the beginning is cut" if body.truncated else kept
        case e.MetricsSampled():
            count = len(body.samples)
            return f"{count} reading{'s' if count != 1 else ''} of CPU and memory kept"
        case e.RetryScheduled():
            return f"attempt {attempt + 1} at {tell(body.at)}, because {body.reason}"
        case e.CancelRequested():
            return body.reason or "no reason given"
        case e.ContainerDeleteRequested():
            return body.group
        case e.ContainerGone():
            return f"{body.group} is seen gone"
        case e.ContainerFound():
            return f"{body.group} is there again, and is deleted again"
        case e.ReportIgnored():
            return f"{body.report} of attempt {attempt} came too late: {body.reason.replace('_', ' ')}"
        case e.JobSucceeded():
            return f"succeeded at attempt {attempt}"
        case e.JobFailed():
            return f"{body.error}: {body.message}"
        case e.JobTimedOut():
            return f"timed out: the {body.deadline} deadline of attempt {attempt} passed, and no attempt is left"
        case e.JobCanceled():
            return "canceled before its first attempt" if attempt == 0 else f"canceled at attempt {attempt}"
        case e.JobArchived():
            return "hidden from lists; nothing is erased"
        case _:
            assert_never(body)


def _since(at: datetime | None, tell: Callable[[datetime], str]) -> str:
    return "" if at is None else f" since {tell(at)}"


def _result(result: object) -> str:
    return "no result" if result is None else f"result {json.dumps(result, ensure_ascii=False)}"


def _usage(cpu_s: float | None, memory_peak_bytes: int | None) -> str:
    used = [f"{cpu_s:.2f} s of CPU"] if cpu_s is not None else []
    used += [f"{memory_peak_bytes / 1e6:.0f} MB"] if memory_peak_bytes is not None else []
    return f" ({', '.join(used)})" if used else ""
