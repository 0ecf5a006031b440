"""The output of `mayfly show`: one job on one screen."""

from __future__ import annotations

import json
from datetime import datetime

from rich.table import Table
from rich.text import Text

from mayfly.cli.screen import console, fact_table, state_text, table
from mayfly.jobs.job import Job
from mayfly.wording.jobs import age, duration, labels, summary
from mayfly.wording.specs import attempts, command_line, deadlines
from mayfly.wording.text import plural, printable
from mayfly.wording.times import span

_OUTPUT_LINES_MAX = 20
_CHARS_MAX = 500


def print_job(job: Job) -> None:
    """Print a job's state, spec, attempts, result and the end of its output."""
    screen = console()
    screen.print(Text.assemble((job.job_id, "bold"), "  ", state_text(job.state), "  ", printable(summary(job), 200)))
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
        title = f"\nlast {_OUTPUT_LINES_MAX} lines of output" if cut else "\nend of the output"
        screen.print(Text.assemble((title, "bold"), f"  (all: mayfly logs {job.job_id})" if cut else ""))
        for line in lines[-_OUTPUT_LINES_MAX:]:
            screen.print(Text(printable(line)))


def _facts(job: Job) -> Table:
    spec = job.spec
    return fact_table(
        ("name", spec.name or ""),
        ("command", command_line(spec, chars_max=_CHARS_MAX)),
        ("submitted", f"{job.submitted_at.astimezone():%Y-%m-%d %H:%M:%S} by {job.source}, {age(job)} ago"),
        ("duration", duration(job)),
        ("size", f"{spec.cpu:g} CPU, {spec.memory_gb:g} GB"),
        ("deadlines", deadlines(spec)),
        ("attempts", attempts(spec)),
        ("env", " ".join(f"{name}={value}" for name, value in spec.env.items())),
        ("secrets", " ".join(f"{name} from {secret}" for name, secret in spec.secrets.items())),
        ("labels", labels(job)),
        ("stream", plural(job.position, "event") + ("; archived" if job.archived else "")),
    )


def _attempts(job: Job) -> Table:
    rows = table(">attempt", "outcome", "container", "group", ">start", ">run", ">exit", ">CPU", ">memory", "error")
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
            Text(printable(f"{attempt.error}: {attempt.message}" if attempt.error else "", 100)),
        )
    return rows


def _between(begun: datetime | None, ended: datetime | None) -> str:
    return span((ended - begun).total_seconds()) if begun is not None and ended is not None else ""
