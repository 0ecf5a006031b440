"""One job on one screen: what `mayfly show` prints."""

from __future__ import annotations

import json
from datetime import datetime

from rich.text import Text

from mayfly.cli.screen import console, state_text, table
from mayfly.jobs.job import Attempt, Job
from mayfly.wording.jobs import age, duration, labels, summary
from mayfly.wording.specs import deadlines, work
from mayfly.wording.text import clean
from mayfly.wording.times import span

_OUTPUT_LINES_MAX = 20
_CHARS_MAX = 500


def print_job(job: Job) -> None:
    """Print a job's state, spec, attempts, result and the end of its output."""
    screen = console()
    screen.print(Text.assemble((job.job_id, "bold"), "  ", state_text(job.state), "  ", clean(summary(job), 200)))
    screen.print(_facts(job))
    if job.attempts:
        screen.print()
        screen.print(_attempts(job))
    if job.result is not None:
        screen.print(Text("\nresult", style="bold"))
        screen.print(Text(json.dumps(job.result, indent=2, ensure_ascii=False)))
    if job.output:
        lines = job.output.splitlines()
        cut = len(lines) > _OUTPUT_LINES_MAX
        title = f"\nthe last {_OUTPUT_LINES_MAX} lines of its output" if cut else "\nthe end of its output"
        screen.print(Text.assemble((title, "bold"), f"  (mayfly logs {job.job_id})" if cut else ""))
        for line in lines[-_OUTPUT_LINES_MAX:]:
            screen.print(Text(clean(line)))


def _facts(job: Job) -> object:
    spec = job.spec
    retry = spec.retry
    attempts = f"{retry.max_attempts} at most"
    if retry.max_attempts > 1:
        attempts += f", {retry.backoff_s:g} s before the second"
    if spec.at_most_once:
        attempts += ", none after one that began"
    facts: list[tuple[str, str]] = [
        ("name", spec.name or ""),
        ("work", work(spec, chars_max=_CHARS_MAX)),
        ("submitted", f"{job.submitted_at.astimezone():%Y-%m-%d %H:%M:%S} by {job.source}, {age(job)} ago"),
        ("took", duration(job)),
        ("size", f"{spec.cpu:g} CPU, {spec.memory_gb:g} GB"),
        ("deadlines", deadlines(spec)),
        ("attempts", attempts),
        ("env", " ".join(f"{name}={value}" for name, value in spec.env.items())),
        ("secrets", " ".join(f"{name} from {secret}" for name, secret in spec.secrets.items())),
        ("labels", labels(job)),
        ("stream", f"{job.position} events" + ("; archived" if job.archived else "")),
    ]
    shown = table("", "")
    shown.show_header = False
    for name, value in facts:
        if value:
            shown.add_row(Text(name, style="bright_black"), Text(clean(value, _CHARS_MAX)))
    return shown


def _attempts(job: Job) -> object:
    rows = table(">attempt", "outcome", "container", "group", ">start", ">run", ">exit", ">CPU", ">memory", "why")
    for attempt in job.attempts:
        rows.add_row(
            str(attempt.number),
            attempt.outcome or "open",
            attempt.container,
            attempt.group,
            _between(attempt.requested_at, attempt.claimed_at),
            _between(attempt.claimed_at, attempt.ended_at),
            "" if attempt.exit_code is None else str(attempt.exit_code),
            "" if attempt.cpu_s is None else f"{attempt.cpu_s:.2f} s",
            "" if attempt.memory_peak_bytes is None else f"{attempt.memory_peak_bytes / 1e6:.0f} MB",
            Text(clean(_why(attempt), 100)),
        )
    return rows


def _why(attempt: Attempt) -> str:
    return f"{attempt.error}: {attempt.message}" if attempt.error else ""


def _between(begun: datetime | None, ended: datetime | None) -> str:
    return span((ended - begun).total_seconds()) if begun is not None and ended is not None else ""
