"""A job spec in words."""

from __future__ import annotations

import json

from mayfly.jobs.spec import JobSpec
from mayfly.wording.text import printable
from mayfly.wording.times import span


def command_line(spec: JobSpec, *, chars_max: int = 60) -> str:
    """Return what a spec runs as one line: its message, or its command.

    `chars_max`: the message and each argument are cut to this length.

    >>> command_line(JobSpec(message="hello")), command_line(JobSpec(command=("sh", "-c", "exit 3"), image="alpine:3"))
    ('message "hello"', "sh -c 'exit 3' in alpine:3")
    """
    if spec.command is None:
        return f"message {json.dumps(printable(spec.message or '', chars_max), ensure_ascii=False)}"
    command = " ".join(_quoted(word, chars_max) for word in spec.command)
    return command if spec.image is None else f"{command} in {spec.image}"


def deadlines(spec: JobSpec) -> str:
    """Return both deadlines of an attempt in one line."""
    return f"start within {span(spec.start_timeout_s)}, finish within {span(spec.run_timeout_s)} after that"


def attempts(spec: JobSpec) -> str:
    """Return how many attempts a spec allows, and the waits between them.

    >>> attempts(JobSpec(message="hi"))
    '1'
    >>> attempts(JobSpec(message="hi", retry={"max_attempts": 3, "backoff_s": 10}))
    'up to 3, waiting 10.0 s before the second and 2 times as long before each later one'
    """
    retry = spec.retry
    text = "1" if retry.max_attempts == 1 else f"up to {retry.max_attempts}"
    if retry.max_attempts > 1:
        text += f", waiting {span(retry.backoff_s)} before the second"
    if retry.max_attempts > 2 and retry.backoff_factor != 1:
        text += f" and {retry.backoff_factor:g} times as long before each later one"
    return text + (", none after a worker has started" if spec.at_most_once else "")


def _quoted(word: str, chars_max: int) -> str:
    """Return an argument as a person would type it, and a script by its beginning."""
    short = printable(word.strip(), chars_max)
    if word.isprintable() and word.split() == [word]:
        return short
    return f'"{short}"' if "'" in short else f"'{short}'"
