"""Small pieces of text: safe for one line of a terminal, a table or a card, and counted."""

from __future__ import annotations


def printable(text: str, chars_max: int = 0) -> str:
    """Return a text as one line without control characters, cut to a length if one is given.

    >>> printable("a\\x1b[31mb\\nc"), printable("abcdef", 4)
    ('a�[31mb c', 'abc…')
    """
    line = "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text)
    return line if not chars_max or len(line) <= chars_max else f"{line[: chars_max - 1]}…"


def plural(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "job"), plural(0, "job"), plural(1234, "event")
    ('1 job', '0 jobs', '1,234 events')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
