"""Every type of event in words, one line each."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from mayfly.jobs import events as e
from mayfly.wording.specs import command_line
from mayfly.wording.text import plural, printable
from mayfly.wording.times import clock

_CHARS_MAX = 160


def describe(event: e.Event, *, format_time: Callable[[datetime], str] = clock) -> str:
    """Return an event in words, without its time, job and type; `format_time` formats the times inside the text."""
    return printable(_described(event.body, event.attempt, format_time), _CHARS_MAX)


def _described(body: e.Body, attempt: int, format_time: Callable[[datetime], str]) -> str:
    match body:
        case e.JobSubmitted():
            return command_line(body.spec)
        case e.JobHeld():
            return f"{body.reason}; next check at {format_time(body.until)}"
        case e.ContainerRequested():
            size = f"{body.cpu:g} CPU, {body.memory_gb:g} GB"
            return f"attempt {attempt}: {body.group} ({size}) in {body.place}"
        case e.ContainerRefused():
            return f"{body.refusal}: {body.code}: {body.message} ({body.hint})"
        case e.ContainerStarted():
            since = f" since {format_time(body.started_at)}" if body.started_at else ""
            return f"the container of attempt {attempt} is running{since}"
        case e.WorkerStarted():
            return f"attempt {attempt} is claimed; its run deadline is {format_time(body.run_deadline)}"
        case e.WorkerProgressed():
            return body.message if body.fraction is None else f"{body.fraction:.0%} {body.message}"
        case e.WorkerSucceeded():
            result = "no result" if body.result is None else f"result {json.dumps(body.result, ensure_ascii=False)}"
            return result + _usage(body)
        case e.WorkerFailed():
            return f"{body.error}: {body.message}" + _usage(body)
        case e.ContainerExited():
            code = "an unknown exit code" if body.exit_code is None else f"exit code {body.exit_code}"
            detail = f": {body.detail}" if body.detail else ""
            return f"the container of attempt {attempt} ended with {code} and no report from its worker{detail}"
        case e.AttemptTimedOut():
            return f"attempt {attempt} missed its {body.deadline} deadline"
        case e.LogsCaptured():
            size = plural(len(body.text), "character")
            return f"kept {'the last ' if body.truncated else ''}{size} of output" if body.text else "no output"
        case e.MetricsSampled():
            return f"kept {plural(len(body.samples), 'sample')} of CPU and memory"
        case e.RetryScheduled():
            return f"attempt {attempt + 1} at {format_time(body.at)}, because {body.reason}"
        case e.CancelRequested():
            return body.reason or "no reason given"
        case e.ContainerDeleteRequested():
            return f"deleting {body.group}"
        case e.ContainerGone():
            return f"{body.group} is gone"
        case e.ContainerFound():
            return f"{body.group} reappeared and is being deleted again"
        case e.ReportIgnored():
            reason = "is already over" if body.reason == "attempt_over" else "belongs to another worker"
            return f"ignored a `{body.report}` report: attempt {attempt} {reason}"
        case e.JobSucceeded():
            return f"succeeded in attempt {attempt}"
        case e.JobFailed():
            return f"{body.error}: {body.message}"
        case e.JobTimedOut():
            return f"timed out: attempt {attempt} missed its {body.deadline} deadline, and no attempts are left"
        case e.JobCanceled():
            return "canceled before its first attempt" if attempt == 0 else f"canceled during attempt {attempt}"
        case e.JobArchived():
            return "archived: hidden from lists, but nothing is erased"
        case _:
            assert_never(body)


def _usage(body: e.WorkerSucceeded | e.WorkerFailed) -> str:
    used = [f"{body.cpu_s:.2f} s of CPU"] if body.cpu_s is not None else []
    used += [f"{body.memory_peak_bytes / 1e6:.0f} MB"] if body.memory_peak_bytes is not None else []
    return f" ({', '.join(used)})" if used else ""
