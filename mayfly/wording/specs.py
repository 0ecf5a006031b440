"""A job spec in words."""

from __future__ import annotations

import json

from mayfly.jobs.spec import JobSpec
from mayfly.wording.text import clean
from mayfly.wording.times import span


def work(spec: JobSpec, *, chars_max: int = 60) -> str:
    """Return what a spec asks for in one line, each argument and the message cut to a length."""
    if spec.command is None:
        return f"message {json.dumps(clean(spec.message or '', chars_max), ensure_ascii=False)}"
    command = " ".join(_quoted(word, chars_max) for word in spec.command)
    return command if spec.image is None else f"{command} in {spec.image}"


def deadlines(spec: JobSpec) -> str:
    """Return both deadlines of an attempt in one line."""
    return f"started within {span(spec.start_timeout_s)}, and done {span(spec.run_timeout_s)} later"


def _quoted(word: str, chars_max: int) -> str:
    """Return an argument as one would type it, and a script by its beginning."""
    short = clean(word.strip(), chars_max)
    if word.isprintable() and word.split() == [word]:
        return short
    return f'"{short}"' if "'" in short else f"'{short}'"
