"""Cursors into a growing text, so that a client can request only the new part of it.

A cursor identifies the beginning of the text by its length and its hash. It is valid as long as the text begins the
same way. Once the beginning of a log is truncated, its cursors are invalid, and the whole text is sent.
"""

from __future__ import annotations

import hashlib
import re

_CURSOR = re.compile(r"(\d{1,9})-([0-9a-f]{16})")


def cursor_at_end(text: str) -> str:
    """Return the cursor at the end of a text."""
    return f"{len(text)}-{_hash(text)}"


def resume_offset(text: str, cursor: str) -> int:
    """Return how many characters of a text precede a cursor; 0 if the cursor is not valid for it.

    Errors: ValueError for text that is not a cursor.

    >>> resume_offset("one, two", cursor_at_end("one")), resume_offset("two", cursor_at_end("one"))
    (3, 0)
    """
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValueError("must be the `mark` of an earlier response")
    length = int(found[1])
    return length if length <= len(text) and _hash(text[:length]) == found[2] else 0


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
