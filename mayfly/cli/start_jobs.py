"""`mayfly submit` and `mayfly plan`: what starts jobs, or would."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.text import Text

from mayfly.cli import specs
from mayfly.cli.event_screen import print_outcomes, wait_until_over, watch_events
from mayfly.cli.options import AsJson, Key, Url
from mayfly.cli.screen import console, mark, print_json, table
from mayfly.client.api import Api
from mayfly.client.connection import DEFAULT_URL, connect
from mayfly.client.errors import BadRequest, ClientError
from mayfly.client.follow import Follower
from mayfly.jobs.job import to_document
from mayfly.jobs.spec import JobSpec
from mayfly.wording.specs import deadlines, work

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
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key again starts nothing new.")
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Submit so many of it.")] = 1,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for the end; exit with 1 if one failed.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="As --wait, and print each event as it happens.")] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Start a job and print its id."""
    document = specs.spec_document(_options(locals()))
    with connect(url, key) as api:
        job_ids = _submit_all(api, document, idempotency_key or uuid.uuid4().hex, count)
        if not (wait or follow):
            if as_json:
                print_json([{"job_id": job_id} for job_id in job_ids] if count > 1 else {"job_id": job_ids[0]})
            else:
                print("\n".join(job_ids))
            return
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
            print_json(documents if count > 1 else documents[0])
        elif not follow:
            print_outcomes(jobs)
        if any(job.state != "succeeded" for job in jobs):
            raise typer.Exit(1)


def plan(
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
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Show what a job would become, its price, and what stands in its way (then the exit code is 1)."""
    document = specs.spec_document(_options(locals()))
    with connect(url, key) as api:
        planned = api.plan(document)
    if as_json:
        print_json(planned)
    else:
        _print_plan(planned)
    if planned["obstacles"]:
        raise typer.Exit(1)


def _options(given: Mapping[str, Any]) -> specs.SpecOptions:
    return specs.SpecOptions(**{name: given[name] for name in specs.SpecOptions.__dataclass_fields__})


def _submit_all(api: Api, document: Mapping[str, Any], key: str, count: int) -> list[str]:
    """Submit one, or that many at once; what has been submitted when one is refused is said."""
    if count == 1:
        return [api.submit(document, idempotency_key=key)]
    # The first alone: what is wrong with the spec is then said once, and nothing has been started.
    done = [api.submit(document, idempotency_key=f"{key}-1")]
    with ThreadPoolExecutor(_SUBMITTERS, thread_name_prefix="submit") as pool:
        submissions = pool.map(lambda n: api.submit(document, idempotency_key=f"{key}-{n}"), range(2, count + 1))
        screen = console(stderr=True)
        try:
            shown = track(submissions, "submitting", total=count - 1, console=screen, disable=not screen.is_terminal)
            done += shown
        except ClientError as error:
            pool.shutdown(cancel_futures=True)
            lines = [*error.lines, f"at least {len(done)} of {count} were submitted; the same again, with"]
            again = f"--idempotency-key {key}, submits the rest"
            raise ClientError(error.text, [*lines, again], exit_code=error.exit_code) from error
    return done


def _print_plan(planned: Mapping[str, Any]) -> None:
    try:
        spec = JobSpec.model_validate_json(json.dumps(planned["spec"]))
    except ValueError as error:
        raise BadRequest("the API describes a spec that this version of the CLI cannot read") from error
    price = planned["price"]
    attempts = spec.retry.max_attempts
    facts = table("", "")
    facts.show_header = False
    facts.add_row("work", Text(work(spec, chars_max=500)))
    facts.add_row("place", Text(planned["place"]))
    facts.add_row("image", Text(spec.image or "the standard worker"))
    facts.add_row("size", f"{spec.cpu:g} CPU, {spec.memory_gb:g} GB")
    facts.add_row("deadlines", deadlines(spec))
    facts.add_row("attempts", f"{attempts}" + (", at most one of them begun" if spec.at_most_once else ""))
    if price["per_hour"]:
        amount = (
            f"{price['per_hour']:.4f} {price['currency']} an hour, {price['at_most']:.4f} {price['currency']} at most"
        )
    else:
        amount = "nothing is billed here"
    facts.add_row("price", amount)
    screen = console()
    screen.print(facts)
    for warning in planned["warnings"]:
        screen.print(Text.assemble(("! note: ", "yellow"), warning))
    for obstacle in planned["obstacles"]:
        screen.print(Text.assemble(mark(False), (" in the way: ", "red"), obstacle))
    if not planned["obstacles"]:
        screen.print(Text.assemble(mark(True), " nothing stands in its way"))
