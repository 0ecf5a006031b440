"""Text as one safe line: for terminals, tables and cards."""

from __future__ import annotations


def clean(text: str, chars_max: int = 0) -> str:
    """Return a text as one line that moves no cursor, cut to a length if one is given.

    >>> clean("a\\x1b[31mb\\nc"), clean("abcdef", 4)
    ('a�[31mb c', 'abc…')
    """
    line = "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text)
    return line if not chars_max or len(line) <= chars_max else f"{line[: chars_max - 1]}…"
