"""Keep the values of secrets out of what an image prints that may hold no worker of ours (I8).

The standard worker masks what leaves it. Another image's output is masked here, before it is written to the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mayfly.containers.runtime import LogTail
from mayfly.errors import SecretMissing, TryAgain
from mayfly.secrets.store import SecretStore

MASK = "***"
CHARS_MIN = 4
"""As in the worker: a shorter value would be found in too much that is no secret."""


async def without_secrets(store: SecretStore, references: Mapping[str, str], tail: LogTail) -> LogTail:
    """Return the output without the values that its container was given.

    Where a value cannot be had any more, nothing of the output can be trusted, so none of it is kept.
    """
    if not references:
        return tail
    try:
        values = await store.resolve(references)
    except (SecretMissing, TryAgain):
        return LogTail(text="", truncated=True)
    return replace(tail, text=masked(tail.text, values.values()))


def masked(text: str, values: Iterable[str]) -> str:
    """Return the text without these values, as they are or as JSON spells them.

    >>> masked("it is pa55word.", ["pa55word", "it"])
    'it is ***.'
    """
    spellings = {spelling for value in values for spelling in (value, json.dumps(value)[1:-1], value.strip())}
    for spelling in sorted(spellings, key=len, reverse=True):
        if len(spelling) >= CHARS_MIN:
            text = text.replace(spelling, MASK)
    return text
