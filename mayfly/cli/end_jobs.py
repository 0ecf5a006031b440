"""`mayfly cancel` and `mayfly clear`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.text import Text
from typer import Argument, Option

from mayfly.cli.options import AsJson, Key, Url
from mayfly.cli.screen import console, print_json, state_text
from mayfly.client.connection import DEFAULT_URL, connect
from mayfly.client.errors import BadRequest
from mayfly.wording.text import plural


def cancel(
    job_ids: Annotated[list[str], Argument(metavar="JOB...", help="Job ids.")],
    reason: Annotated[str | None, Option("--reason", help="Reason, which is kept in the log.")] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Cancel jobs and delete their containers. Jobs that are already over do not change."""
    with connect(url, key) as api:
        answers = [(job_id, api.cancel(job_id, reason=reason)) for job_id in job_ids]
    if as_json:
        print_json([{"job_id": job_id, "state": state} for job_id, state in answers])
        return
    for job_id, state in answers:
        over = "" if state == "canceled" else "  already over"
        console().print(Text.assemble(f"{job_id}  ", state_text(state), over))


def clear(
    yes: Annotated[bool, Option("--yes", "-y", help="Skip the confirmation prompt.")] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Cancel running jobs and archive finished ones. Nothing is erased. If interrupted, run it again."""
    with connect(url, key) as api:
        if not yes:
            jobs = list(api.jobs())
            open_jobs = sum(not job.over for job in jobs)
            if not jobs:
                print("nothing to clear")
                return
            question = f"cancel {plural(open_jobs, 'job')} and archive {plural(len(jobs), 'job')}?"
            if not sys.stdin.isatty():
                raise BadRequest(f"nothing was cleared: no terminal to ask on: {question}", ["pass --yes"])
            try:
                confirmed = typer.confirm(question)
            except typer.Abort as error:
                raise typer.Exit(130) from error
            if not confirmed:
                print("nothing was cleared")
                raise typer.Exit(1)
        canceled = archived = 0
        with console(stderr=True).status("clearing") as status:
            for canceled, archived in api.clear():
                status.update(f"{plural(canceled, 'job')} canceled, {plural(archived, 'job')} archived so far")
    if as_json:
        print_json({"canceled": canceled, "archived": archived})
    else:
        print(f"{plural(canceled, 'job')} canceled, {plural(archived, 'job')} archived")
