"""Keep secret values out of the output of images that may not contain the standard worker (I8).

The standard worker masks its own output. Any other image's output is masked here, before it is written to the log or
shown. The rules are those of `worker/masking.py`; `tests/mayfly/secrets/test_masking.py` feeds the same cases to both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mayfly.containers.runtime import LogTail
from mayfly.errors import SecretMissing, TryAgain
from mayfly.secrets.store import SecretStore

MASK = "***"
CHARS_MIN = 4
"""Shorter values are not masked: they would match too much output that is not secret."""
LINE_CHARS_MIN = 8
"""If a value has several lines, each line of at least this length is masked as well: tools print keys indented."""


async def without_secrets(store: SecretStore, references: Mapping[str, str], tail: LogTail) -> LogTail:
    """Return the output without the secret values that its container received.

    If a value can no longer be read, the output cannot be masked, so none of it is kept.
    """
    if not references:
        return tail
    try:
        values = await store.resolve(references)
    except (SecretMissing, TryAgain):
        return LogTail(text="", truncated=True)
    return replace(tail, text=masked(tail.text, values.values()))


def masked(text: str, values: Iterable[str]) -> str:
    """Return the text with these values replaced by `***`.

    >>> masked("it is pa55word.", ["pa55word", "it"])
    'it is ***.'
    """
    # The longest first, so that a secret that begins with another one is masked as a whole.
    forms = sorted({form for value in values for form in _forms(value)}, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, forms)), MASK, text) if forms else text


def _forms(value: str) -> set[str]:
    """Return the forms of a value that are masked: it and its longer lines, each plain and escaped as JSON."""
    if len(value) < CHARS_MIN:
        return set()
    lines = (line.strip() for line in value.splitlines())
    parts = {value, value.strip(), *(line for line in lines if len(line) >= LINE_CHARS_MIN)}
    as_json = {json.dumps(part, ensure_ascii=escaped)[1:-1] for part in parts for escaped in (True, False)}
    return {form for form in parts | as_json if len(form) >= CHARS_MIN}
