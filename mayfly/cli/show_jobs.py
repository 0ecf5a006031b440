"""`mayfly list`, `show`, `logs` and `export`: read jobs, output and events."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from rich.text import Text
from typer import Argument, Option

from mayfly.cli.job_page import print_job
from mayfly.cli.options import AsJson, Key, Url
from mayfly.cli.screen import console, print_json, state_text, table
from mayfly.client.api import Api
from mayfly.client.connection import DEFAULT_URL, connect
from mayfly.client.errors import BadRequest
from mayfly.jobs.events import to_document as event_document
from mayfly.jobs.job import Job, to_document
from mayfly.views.label_text import label_text
from mayfly.wording.jobs import age, duration, labels, summary
from mayfly.wording.text import printable

_POLL_S = 0.5
_OVERLAP_CHARS = 400
_LABEL_CHARS_MAX = 40
_OTHER_COLUMNS_CHARS = 52
_SUMMARY_CHARS_MIN = 20

JobId = Annotated[str, Argument(metavar="JOB", help="Job id.")]


def list_jobs(
    state: Annotated[list[str] | None, Option("--state", "-s", help="Only jobs in this state; repeatable.")] = None,
    label: Annotated[
        list[str] | None, Option("--label", "-l", metavar="K=V", help="Only jobs with this label; repeatable.")
    ] = None,
    name: Annotated[str | None, Option("--name", help="Only jobs with this text in the name or id.")] = None,
    limit: Annotated[int, Option("--limit", "-n", min=1, help="Maximum number of jobs.")] = 25,
    every: Annotated[bool, Option("--all", "-a", help="No limit.")] = False,
    archived: Annotated[bool, Option("--archived", help="Include archived jobs.")] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """List jobs, newest first."""
    filters = {
        "state": ",".join(state) if state else None,
        "label": label_text(label) if label else None,
        "name": name,
        "archived": "true" if archived else None,
    }
    with connect(url, key) as api:
        # One more than is shown, to know whether there are more.
        found = list(api.jobs(limit=None if every else limit + 1, **filters))
    jobs = found if every else found[:limit]
    if as_json:
        print_json([to_document(job) for job in jobs])
        return
    if not jobs:
        filtered = any(value is not None for value in filters.values())
        print("no job matches" if filtered else "no jobs (--archived includes archived ones)")
        return
    screen = console()
    screen.print(jobs_table(jobs, width=screen.width))
    if len(found) > len(jobs):
        print(f"... and more: --all, or --limit {limit * 4}")


def jobs_table(jobs: Iterable[Job], *, width: int) -> Any:
    """Return jobs as a table for a console of that width, with a column for names if there are any."""
    jobs = list(jobs)
    named = any(job.spec.name for job in jobs)
    # The summary is cut and not the ids, which people copy.
    lengths = (_longest(texts) for texts in zip(*((j.job_id, j.spec.name or "", labels(j)) for j in jobs), strict=True))
    summary_chars = max(width - sum(lengths) - _OTHER_COLUMNS_CHARS, _SUMMARY_CHARS_MIN)
    columns = ["job", *(["name"] if named else []), "state", ">attempts", ">age", ">duration"]
    rows = table(*columns, "result or progress", "labels")
    for job in jobs:
        rows.add_row(
            Text(job.job_id, style="strike" if job.archived else ""),
            *([job.spec.name or ""] if named else []),
            state_text(job.state),
            str(len(job.attempts)),
            age(job),
            duration(job),
            Text(printable(summary(job), summary_chars)),
            Text(printable(labels(job), _LABEL_CHARS_MAX)),
        )
    for column in rows.columns[: len(columns)]:
        column.no_wrap = True
    return rows


def _longest(texts: Iterable[str]) -> int:
    return min(max(map(len, texts), default=0), _LABEL_CHARS_MAX)


def show(job_id: JobId, as_json: AsJson = False, url: Url = DEFAULT_URL, key: Key = None) -> None:
    """Show the state, spec, attempts, result and output of a job."""
    with connect(url, key) as api:
        job = api.job(job_id)
    if as_json:
        print_json(to_document(job))
    else:
        print_job(job)


def logs(
    job_id: JobId,
    attempt: Annotated[
        int | None, Option("--attempt", min=1, help="Number of the attempt; default: the latest.")
    ] = None,
    follow: Annotated[bool, Option("--follow", "-f", help="Continue until the job is over.")] = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Print a job's output."""
    with connect(url, key) as api:
        if follow:
            _follow_logs(api, job_id, attempt)
            return
        output = api.output(job_id, attempt=attempt)
        if output.source == "none":
            job = api.job(job_id)
            if attempt is not None and attempt > len(job.attempts):
                raise BadRequest(f"{job_id} has no attempt {attempt}; it has had {len(job.attempts)}")
            return
        if output.truncated:
            print("[the beginning of the output is missing]", file=sys.stderr)
        sys.stdout.write(output.text)


def export(
    job_id: Annotated[
        str | None, Argument(metavar="[JOB]", help="Only this job's events; default: the whole log.")
    ] = None,
    output: Annotated[Path | None, Option("--output", "-o", help="File to write; default: standard output.")] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Write events as JSON Lines, oldest first."""
    with connect(url, key) as api:
        documents = api.all_events() if job_id is None else map(event_document, api.events(job_id))
        if output is None:
            _write_lines(documents, sys.stdout)
            return
        try:
            with output.open("w", encoding="utf-8") as file:
                written = _write_lines(documents, file)
        except OSError as error:
            raise BadRequest(f"{output} cannot be written: {error.strerror}") from error
    print(f"{written} events in {output}", file=sys.stderr)


def unseen(printed: str, text: str) -> str:
    """Return the part of a log's tail that has not been printed yet.

    The tail may begin later than the printed text, because only the end of a log is kept.

    >>> unseen("abc", "abcdef"), unseen("abc", "bcde"), unseen("", "ab"), unseen("ab", "ab")
    ('def', 'de', 'ab', '')
    """
    if text.startswith(printed):
        return text[len(printed) :]
    end = printed[-_OVERLAP_CHARS:]
    while end:
        at = text.rfind(end)
        if at >= 0:
            return text[at + len(end) :]
        end = end[len(end) // 2 + 1 :] if len(end) > 1 else ""
    return text


def _follow_logs(api: Api, job_id: str, attempt: int | None) -> None:
    number, known = attempt or 1, None
    while True:
        # The job is read before its output, so that output printed just before the end is still fetched.
        job = api.job(job_id)
        current = job.attempt_numbered(number)
        ended = current.outcome is not None if current is not None else job.over
        if current is not None:
            output = api.output(job_id, attempt=number, known=known)
            sys.stdout.write(unseen(known.text if known is not None else "", output.text))
            sys.stdout.flush()
            known = output if output.text else known
        if ended and (attempt is not None or (job.over and number >= len(job.attempts))):
            return
        if ended and number < len(job.attempts):
            number, known = number + 1, None
            print(f"[attempt {number}]", file=sys.stderr)
            continue
        time.sleep(_POLL_S)


def _write_lines(documents: Iterable[Mapping[str, Any]], file: Any) -> int:
    count = 0
    for document in documents:
        file.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        count += 1
    return count
