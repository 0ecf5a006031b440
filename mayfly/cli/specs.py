"""Options of `mayfly submit` that make a job spec: a JSON file, and options that override it. The API validates it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from mayfly.client.errors import BadRequest

Command = Annotated[
    list[str] | None,
    Argument(
        metavar="COMMAND", help="Command and arguments, after `--`; omit it when using `--message`.", show_default=False
    ),
]
Message = Annotated[str | None, Option("--message", "-m", help="Text for the standard worker's demo task.")]
Name = Annotated[str | None, Option("--name", help="Human-readable name.")]
Image = Annotated[str | None, Option("--image", help="Container image to run the command in.")]
Env = Annotated[list[str] | None, Option("--env", "-e", metavar="K=V", help="Environment variable; repeatable.")]
Secret = Annotated[
    list[str] | None, Option("--secret", metavar="VAR=NAME", help="Variable from the secret store; repeatable.")
]
Label = Annotated[list[str] | None, Option("--label", "-l", metavar="K=V", help="Label, for filtering; repeatable.")]
Cpu = Annotated[float | None, Option("--cpu", metavar="CORES", help="CPU cores.")]
MemoryGb = Annotated[float | None, Option("--memory-gb", metavar="GB", help="Memory in GB.")]
StartTimeout = Annotated[
    float | None, Option("--start-timeout", metavar="S", help="Seconds until the worker must have started.")
]
RunTimeout = Annotated[float | None, Option("--run-timeout", metavar="S", help="Seconds that the worker may run.")]
Attempts = Annotated[int | None, Option("--attempts", metavar="N", help="Maximum number of attempts.")]
Backoff = Annotated[float | None, Option("--backoff", metavar="S", help="Seconds to wait before the second attempt.")]
AtMostOnce = Annotated[bool | None, Option("--at-most-once", help="Never retry once a worker has started.")]
File = Annotated[
    str | None, Option("--file", "-f", metavar="SPEC.json", help="Job spec as JSON; `-` is standard input.")
]


def spec_document(
    file: str | None,
    *,
    fields: Mapping[str, Any],
    env: Sequence[str] | None,
    secrets: Sequence[str] | None,
    labels: Sequence[str] | None,
    retry: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the spec from a file and options. An option overrides a field of the file, or an entry of its maps.

    Shapes: None and empty lists mean that an option was not given.
    Errors: `BadRequest`, naming the option.
    """
    document = _read(file) if file is not None else {}
    document.update(_given(fields))
    _merge(document, "env", pairs(env, "--env", "K=V"))
    _merge(document, "secrets", pairs(secrets, "--secret", "VAR=NAME"))
    _merge(document, "labels", pairs(labels, "--label", "K=V"))
    _merge(document, "retry", _given(retry))
    if not document:
        raise BadRequest(
            "the job is empty: give a message, a command or a file",
            ['mayfly submit --message "hello"', "mayfly submit -- COMMAND ARG...", "mayfly submit --file spec.json"],
        )
    return document


def pairs(texts: Sequence[str] | None, option: str, form: str) -> dict[str, str]:
    """Split `K=V` texts.

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


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _merge(document: dict[str, Any], field: str, entries: Mapping[str, Any]) -> None:
    """Override entries of a map in the file. If the file has something else there, the API will reject it."""
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
        raise BadRequest(f"--file {where} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadRequest(f"--file {where} must contain one JSON object: a job spec")
    return document
