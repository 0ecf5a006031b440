"""Convert form input to a job spec and back, and assign each error to its field."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mayfly.errors import FieldError, Rejected
from mayfly.jobs.spec import JobSpec
from mayfly.validation import validated

KINDS = ("Message", "Command", "Image")
_INPUTS = {"retry.max_attempts": "max_attempts", "retry.backoff_s": "backoff_s", "name": "job_name"}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The form input as a spec document, with its errors by input."""

    document: Mapping[str, Any]
    spec: JobSpec | None
    """None: there are errors."""
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Errors by input key; `form` has the errors that belong to no single input."""


def read(inputs: Mapping[str, Any]) -> Draft:
    """Return the form input as a spec.

    >>> read({**DEFAULTS, "message": "hi", "cpu": 64}).faults
    {'cpu': ['must be between 0.1 and 31 (got 64)']}
    """
    faults: dict[str, list[str]] = {}
    document: dict[str, Any] = {}
    if inputs["kind"] == "Message":
        document["message"] = inputs["message"] or None
    else:
        document["command"] = _command(inputs["command"], faults)
        if inputs["kind"] == "Image":
            document["image"] = inputs["image"].strip()
    document["name"] = inputs["job_name"].strip() or None
    for name in ("cpu", "memory_gb", "start_timeout_s", "run_timeout_s", "at_most_once"):
        document[name] = inputs[name]
    document["retry"] = {
        "max_attempts": inputs["max_attempts"],
        "backoff_s": inputs["backoff_s"],
        "on_exit_codes": _exit_codes(inputs["on_exit_codes"], faults),
    }
    for name in ("env", "secrets", "labels"):
        document[name] = _pairs(inputs[name], name, faults)
    document = {name: value for name, value in document.items() if value is not None and value != {}}
    spec = None
    try:
        spec = validated(JobSpec, document, title="invalid job spec")
    except Rejected as rejected:
        for error in rejected.errors:
            faults.setdefault(_input_of(error), []).append(_message(error))
        if "command" in faults:
            faults.pop("form", None)  # "no command" only follows from the bad command
    return Draft(document=document, spec=None if faults else spec, faults=faults)


def write(spec: JobSpec) -> dict[str, Any]:
    """Return the form input that makes this spec."""
    kind = "Message" if spec.command is None else "Image" if spec.image else "Command"
    return {
        "kind": kind,
        "message": spec.message or "",
        "command": shlex.join(spec.command or ()),
        "image": spec.image or "",
        "job_name": spec.name or "",
        "cpu": spec.cpu,
        "memory_gb": spec.memory_gb,
        "start_timeout_s": int(spec.start_timeout_s),
        "run_timeout_s": int(spec.run_timeout_s),
        "max_attempts": spec.retry.max_attempts,
        "backoff_s": spec.retry.backoff_s,
        "on_exit_codes": ", ".join(map(str, spec.retry.on_exit_codes or ())),
        "at_most_once": spec.at_most_once,
        **{
            name: "\n".join(f"{key}={value}" for key, value in getattr(spec, name).items())
            for name in ("env", "secrets", "labels")
        },
    }


DEFAULTS: Mapping[str, Any] = {**write(JobSpec(message="any")), "message": ""}
"""By input key: its initial value."""


def _command(text: str, faults: dict[str, list[str]]) -> list[str] | None:
    try:
        return shlex.split(text) or None
    except ValueError as error:
        faults.setdefault("command", []).append(f"cannot be split into arguments: {str(error).lower()}")
        return None


def _exit_codes(text: str, faults: dict[str, list[str]]) -> list[int] | None:
    parts = text.replace(",", " ").split()
    if not all(part.isdecimal() for part in parts):
        faults.setdefault("on_exit_codes", []).append(f"must be whole numbers such as 75, 111 (got {text.strip()!r})")
        return None
    return [int(part) for part in parts] or None


def _pairs(text: str, name: str, faults: dict[str, list[str]]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals:
            faults.setdefault(name, []).append(f"line {number} must be NAME=VALUE (got {line.strip()!r})")
        elif key.strip() in pairs:
            faults.setdefault(name, []).append(f"line {number} repeats {key.strip()}; keep one of them")
        else:
            pairs[key.strip()] = value.strip() if name != "env" else value
    return pairs


def _input_of(error: FieldError) -> str:
    if error.field.startswith("retry.on_exit_codes"):
        return "on_exit_codes"
    name = _INPUTS.get(error.field, error.field.partition(".")[0])
    return name if name in DEFAULTS else "form"


def _message(error: FieldError) -> str:
    """Return the error, with the part of the input that it is about."""
    _, _, inner = error.field.partition(".")
    return f"{inner}: {error.message}" if inner and not error.field.startswith("retry.") else error.message
