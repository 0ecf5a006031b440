"""Marks in a text that grows, so that only what is new of it need be sent.

A mark names a beginning of the text by its length and its hash. It holds as long as the text begins like that; a log
of which only the end is kept does not once its beginning is cut, and is then sent whole.
"""

from __future__ import annotations

import hashlib
import re

_MARK = re.compile(r"(\d{1,9})-([0-9a-f]{16})")


def cursor_at_end(text: str) -> str:
    """Return the mark at the end of a text."""
    return f"{len(text)}-{_hash(text)}"


def resume_offset(text: str, mark: str) -> int:
    """Return how many characters of a text were read up to a mark; 0 where it does not hold.

    Errors: ValueError for what is no mark.

    >>> resume_offset("one, two", cursor_at_end("one")), resume_offset("two", cursor_at_end("one"))
    (3, 0)
    """
    found = _MARK.fullmatch(mark)
    if found is None:
        raise ValueError("must be a mark that an earlier answer gave")
    length = int(found[1])
    return length if length <= len(text) and _hash(text[:length]) == found[2] else 0


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
