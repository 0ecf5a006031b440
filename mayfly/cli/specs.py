"""From options to a job spec: a JSON file that the options override. What it means is for the API to judge."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from mayfly.client.errors import BadRequest

Command = Annotated[
    list[str] | None,
    typer.Argument(metavar="COMMAND", help="A command and its arguments, after --; else a message is worked on."),
]
Message = Annotated[str | None, typer.Option("--message", "-m", help="Work for the standard worker.")]
Name = Annotated[str | None, typer.Option("--name", help="What people call it.")]
Image = Annotated[str | None, typer.Option("--image", help="Container image to run the command in.")]
Env = Annotated[list[str] | None, typer.Option("--env", "-e", metavar="K=V", help="Environment variable; repeatable.")]
Secret = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="VAR=NAME", help="Variable from the secret store; repeatable."),
]
Label = Annotated[list[str] | None, typer.Option("--label", "-l", metavar="K=V", help="For finding it; repeatable.")]
Cpu = Annotated[float | None, typer.Option("--cpu", help="Cores.")]
MemoryGb = Annotated[float | None, typer.Option("--memory-gb", help="Memory in GB.")]
StartTimeout = Annotated[float | None, typer.Option("--start-timeout", metavar="S", help="Until the worker starts.")]
RunTimeout = Annotated[float | None, typer.Option("--run-timeout", metavar="S", help="From its start to its end.")]
Attempts = Annotated[int | None, typer.Option("--attempts", metavar="N", help="Attempts in all.")]
Backoff = Annotated[float | None, typer.Option("--backoff", metavar="S", help="Wait before the second attempt.")]
AtMostOnce = Annotated[bool | None, typer.Option("--at-most-once", help="Never again once a worker has started.")]
File = Annotated[str | None, typer.Option("--file", "-f", metavar="SPEC.json", help="A spec as JSON; - is stdin.")]


@dataclass(frozen=True, kw_only=True)
class SpecOptions:
    """The options that `submit` and `plan` share; None or empty: not given."""

    command: Sequence[str] | None
    message: str | None
    name: str | None
    image: str | None
    env: Sequence[str] | None
    secret: Sequence[str] | None
    label: Sequence[str] | None
    cpu: float | None
    memory_gb: float | None
    start_timeout: float | None
    run_timeout: float | None
    attempts: int | None
    backoff: float | None
    at_most_once: bool | None
    file: str | None


def spec_document(options: SpecOptions) -> dict[str, Any]:
    """Return the spec that file and options make together; an option wins, and of maps each entry.

    Errors: `BadRequest`, naming the option.
    """
    document = _read(options.file) if options.file is not None else {}
    given = {
        "message": options.message,
        "command": list(options.command) if options.command else None,
        "name": options.name,
        "image": options.image,
        "cpu": options.cpu,
        "memory_gb": options.memory_gb,
        "start_timeout_s": options.start_timeout,
        "run_timeout_s": options.run_timeout,
        "at_most_once": options.at_most_once,
    }
    document.update({name: value for name, value in given.items() if value is not None})
    _merge(document, "env", pairs(options.env, "--env", "K=V"))
    _merge(document, "secrets", pairs(options.secret, "--secret", "VAR=NAME"))
    _merge(document, "labels", pairs(options.label, "--label", "K=V"))
    retry = {"max_attempts": options.attempts, "backoff_s": options.backoff}
    _merge(document, "retry", {name: value for name, value in retry.items() if value is not None})
    if not document:
        raise BadRequest(
            "there is nothing to do: give a message, a command or a file",
            ['mayfly submit --message "hello"', "mayfly submit -- COMMAND ARG...", "mayfly submit --file spec.json"],
        )
    return document


def pairs(texts: Sequence[str] | None, option: str, form: str) -> dict[str, str]:
    """Take `K=V` texts apart.

    >>> pairs(["a=1", "b=x=y"], "--env", "K=V")
    {'a': '1', 'b': 'x=y'}

    Errors: `BadRequest` for one without a name or without `=`.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise BadRequest(f"{option} must look like {form} (got {text!r})")
        found[name] = value
    return found


def _merge(document: dict[str, Any], field: str, entries: dict[str, Any]) -> None:
    """Put entries over those in the file. A field of the file that is no object is left for the API to refuse."""
    if entries and isinstance(document.get(field, {}), dict):
        document[field] = {**document.get(field, {}), **entries}


def _read(name: str) -> dict[str, Any]:
    where = "standard input" if name == "-" else name
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as error:
        raise BadRequest(f"--file {name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadRequest(f"--file {where} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadRequest(f"--file {where} must hold one JSON object: a job spec")
    return document
