"""`mayfly cancel` and `mayfly clear`: what ends jobs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.text import Text

from mayfly.cli.options import AsJson, Key, Url
from mayfly.cli.screen import console, print_json, state_text
from mayfly.client.connection import DEFAULT_URL, connect
from mayfly.client.errors import BadRequest
from mayfly.jobs.lifecycle import STATES


def cancel(
    job_ids: Annotated[list[str], typer.Argument(metavar="JOB...", help="The jobs' ids.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it is kept in the log.")] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Stop jobs and delete their containers; one that is over stays as it is."""
    with connect(url, key) as api:
        answers = [(job_id, api.cancel(job_id, reason=reason)) for job_id in job_ids]
    if as_json:
        print_json([{"job_id": job_id, "state": state} for job_id, state in answers])
        return
    for job_id, answer in answers:
        line = Text(f"{job_id}  ")
        for state in STATES:
            if state == answer:
                line.append(state_text(state))
        if answer != "canceled":
            line.append("  it was over before")
        console().print(line)


def clear(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Cancel what runs and archive what ended. Nothing is erased; when it breaks off, the same again goes on."""
    with connect(url, key) as api:
        if not yes:
            jobs = list(api.jobs())
            going = sum(not job.over for job in jobs)
            if not jobs:
                print("nothing to clear")
                return
            question = f"cancel {_jobs(going)} and archive {_jobs(len(jobs))}?"
            if not sys.stdin.isatty():
                raise BadRequest(f"nothing was cleared: nobody is there to answer: {question}", ["pass --yes"])
            if not _confirmed(question):
                print("nothing was cleared")
                raise typer.Exit(1)
        canceled = archived = 0
        with console(stderr=True).status("clearing") as status:
            for canceled, archived in api.clear():
                status.update(f"{_jobs(canceled)} canceled, {_jobs(archived)} archived so far")
    if as_json:
        print_json({"canceled": canceled, "archived": archived})
    else:
        print(f"{_jobs(canceled)} canceled, {_jobs(archived)} archived")


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort as error:
        raise typer.Exit(130) from error


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"
