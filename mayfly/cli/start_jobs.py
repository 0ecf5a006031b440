"""`mayfly submit`: start jobs, or with `--dry-run` show what would happen."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.text import Text
from typer import Option

from mayfly.cli import specs
from mayfly.cli.event_screen import print_outcomes, wait_until_over, watch_events
from mayfly.cli.options import AsJson, Key, Url
from mayfly.cli.screen import console, fact_table, mark, print_json
from mayfly.client.api import Api
from mayfly.client.connection import DEFAULT_URL, connect
from mayfly.client.errors import BadRequest, ClientError
from mayfly.client.follow import Follower
from mayfly.jobs.job import to_document
from mayfly.jobs.spec import JobSpec
from mayfly.wording.specs import attempts as attempts_in_words
from mayfly.wording.specs import command_line, deadlines

_SUBMITTERS = 16


def submit(
    command: specs.Command = None,
    message: specs.Message = None,
    name: specs.Name = None,
    image: specs.Image = None,
    env: specs.Env = None,
    secret: specs.Secret = None,
    label: specs.Label = None,
    cpu: specs.Cpu = None,
    memory_gb: specs.MemoryGb = None,
    start_timeout: specs.StartTimeout = None,
    run_timeout: specs.RunTimeout = None,
    attempts: specs.Attempts = None,
    backoff: specs.Backoff = None,
    at_most_once: specs.AtMostOnce = None,
    file: specs.File = None,
    dry_run: Annotated[
        bool,
        Option(
            "--dry-run",
            help="Submit nothing. Show the resolved spec, its price, and anything that would block the job"
            " (exit code 1 if blocked).",
        ),
    ] = False,
    idempotency_key: Annotated[
        str | None, Option("--idempotency-key", help="Repeating a key starts nothing new.")
    ] = None,
    count: Annotated[int, Option("--count", "-n", min=1, help="Number of copies to submit.")] = 1,
    wait: Annotated[bool, Option("--wait", "-w", help="Wait for the end; exit code 1 if a job failed.")] = False,
    follow: Annotated[bool, Option("--follow", help="Like --wait, and print each event as it happens.")] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Submit a job and print its id."""
    document = specs.spec_document(
        file,
        fields={
            "message": message,
            "command": command or None,
            "name": name,
            "image": image,
            "cpu": cpu,
            "memory_gb": memory_gb,
            "start_timeout_s": start_timeout,
            "run_timeout_s": run_timeout,
            "at_most_once": at_most_once,
        },
        env=env,
        secrets=secret,
        labels=label,
        retry={"max_attempts": attempts, "backoff_s": backoff},
    )
    if dry_run and (wait or follow or count > 1 or idempotency_key):
        fix = "leave out --wait, --follow, --count and --idempotency-key, or leave out --dry-run"
        raise BadRequest("a dry run submits nothing", [fix])
    with connect(url, key) as api:
        if dry_run:
            plan = api.plan(document)
            if as_json:
                print_json(plan)
            else:
                _print_plan(plan)
            if plan["obstacles"]:
                raise typer.Exit(1)
            return
        job_ids = _submit_all(api, document, idempotency_key or uuid.uuid4().hex, count)
        if wait or follow:
            _wait(api, job_ids, follow=follow, as_json=as_json)
        elif as_json:
            print_json([{"job_id": job_id} for job_id in job_ids] if count > 1 else {"job_id": job_ids[0]})
        else:
            print("\n".join(job_ids))


def _wait(api: Api, job_ids: Sequence[str], *, follow: bool, as_json: bool) -> None:
    if not as_json and not follow:
        print("\n".join(job_ids), flush=True)
    with Follower(api, job_ids) as follower:
        if follow and not as_json:
            watch_events(follower)
        else:
            wait_until_over(follower)
        jobs = [follower.jobs[job_id] for job_id in job_ids]
    if as_json:
        documents = [to_document(job) for job in jobs]
        print_json(documents if len(documents) > 1 else documents[0])
    elif not follow:
        print_outcomes(jobs)
    if any(job.state != "succeeded" for job in jobs):
        raise typer.Exit(1)


def _submit_all(api: Api, document: Mapping[str, Any], key: str, count: int) -> list[str]:
    """Submit this many copies. If one is rejected, the error reports how many were submitted."""
    if count == 1:
        return [api.submit(document, idempotency_key=key)]
    # The first is submitted alone, so that a bad spec is reported once and starts nothing.
    done = [api.submit(document, idempotency_key=f"{key}-1")]
    with ThreadPoolExecutor(_SUBMITTERS, thread_name_prefix="submit") as pool:
        submissions = pool.map(lambda n: api.submit(document, idempotency_key=f"{key}-{n}"), range(2, count + 1))
        screen = console(stderr=True)
        try:
            shown = track(submissions, "submitting", total=count - 1, console=screen, disable=not screen.is_terminal)
            done += shown
        except ClientError as error:
            pool.shutdown(cancel_futures=True)
            lines = [*error.lines, f"at least {len(done)} of {count} were submitted; to submit the rest, run the same"]
            again = f"command with --idempotency-key {key}"
            raise type(error)(error.text, [*lines, again]) from error
    return done


def _print_plan(plan: Mapping[str, Any]) -> None:
    try:
        spec = JobSpec.model_validate_json(json.dumps(plan["spec"]))
    except ValueError as error:
        raise BadRequest("cannot read the spec in the API's plan; update this Mayfly client") from error
    screen = console()
    facts = fact_table(
        ("command", command_line(spec, chars_max=500)),
        ("place", plan["place"]),
        ("image", spec.image or "the standard worker"),
        ("size", f"{spec.cpu:g} CPU, {spec.memory_gb:g} GB"),
        ("deadlines", deadlines(spec)),
        ("attempts", attempts_in_words(spec)),
        ("price", _price(plan["price"])),
    )
    screen.print(facts)
    for warning in plan["warnings"]:
        screen.print(Text.assemble(("! note: ", "yellow"), warning))
    for obstacle in plan["obstacles"]:
        screen.print(Text.assemble(mark(False), (" blocked: ", "red"), obstacle))
    if not plan["obstacles"]:
        screen.print(Text.assemble(mark(True), " ready to run"))


def _price(price: Mapping[str, Any]) -> str:
    if not price["per_hour"]:
        return "free"
    return f"{price['per_hour']:.4f} {price['currency']} per hour, {price['at_most']:.4f} {price['currency']} at most"
