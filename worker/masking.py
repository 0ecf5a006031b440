"""Keep secret values out of everything that leaves the worker: output, progress, result and error messages (I8).

The command receives its secrets and may print them. Each value, plain or escaped as JSON, becomes `***`, even if it
arrives in two pieces: output that may be the beginning of a secret is held back until more arrives or the command ends.
Masking catches accidents; it cannot stop a command that encodes a secret. `mayfly/secrets/masking.py` follows the same
rules for images without this worker, and `tests/mayfly/secrets/test_masking.py` feeds the same cases to both.
"""

from __future__ import annotations

import os

from worker.json_writer import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASK = b"***"
CHARS_MIN = 4
"""Shorter values are not masked: they would match too much output that is not secret."""
LINE_CHARS_MIN = 8
"""If a value has several lines, each line of at least this length is masked as well: tools print keys indented."""


class Mask:
    """A filter for output that arrives in pieces: whatever `feed` and `flush` return may leave the worker."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        # The longest first, so that a secret that begins with another one is masked as a whole.
        forms = {form for value in values for form in _forms(value)}
        self._secrets = sorted(forms, key=lambda form: (-len(form), form))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take more output and return the part that certainly contains no secret."""
        if not self._secrets:
            return data
        masked, self._held = self._split(self._held + data, end=False)
        return masked

    def flush(self) -> bytes:
        """Return the rest, after the last output."""
        masked, self._held = self._split(self._held, end=True)
        return masked

    def text(self, text: str) -> str:
        """Return a complete text, masked."""
        masked, _ = self._split(text.encode("utf-8", "surrogateescape"), end=True)
        return masked.decode("utf-8", "surrogateescape")

    def _split(self, data: bytes, *, end: bool) -> tuple[bytes, bytes]:
        """Return the part that certainly contains no secret, masked, and the rest; at the end there is no rest."""
        done = []
        at = 0
        hold = len(data) if end else self._unsure(data, 0)
        while True:
            found, secret = self._first(data, at)
            # Another secret may begin before this one and continue in the next piece, so wait for that piece.
            if secret is None or found >= hold:
                break
            done += [data[at:found], MASK]
            at = found + len(secret)
            if at > hold:
                hold = len(data) if end else self._unsure(data, at)
        done.append(data[at:hold])
        return b"".join(done), data[hold:]

    def _first(self, data: bytes, at: int) -> tuple[int, bytes | None]:
        """Return where the first secret at or after `at` begins, and the longest secret that begins there."""
        best, secret = len(data), None
        for one in self._secrets:
            found = data.find(one, at, best + len(one))
            if 0 <= found < best:
                best, secret = found, one
        return best, secret

    def _unsure(self, data: bytes, at: int) -> int:
        """Return where `data` ends with the possible beginning of a secret, or its length if it does not."""
        best = len(data)
        for secret in self._secrets:
            start = data.find(secret[:1], max(at, len(data) - len(secret) + 1), best)
            while start >= 0:
                if secret.startswith(data[start:]):
                    best = start
                    break
                start = data.find(secret[:1], start + 1, best)
        return best


def mask_of(environment: Mapping[str, str], names: str) -> Mask:
    """Return the mask for the variables in a comma-separated list of names; unknown names are ignored.

    >>> mask_of({"A": "pa55word"}, "A,B").feed(b"it is pa55word.")
    b'it is ***.'
    """
    return Mask([environment[name] for name in names.split(",") if name in environment])


def _forms(value: str) -> set[bytes]:
    """Return the forms of a value that are masked: it and its longer lines, each plain and escaped as JSON."""
    if len(value) < CHARS_MIN:
        return set()
    lines = (line.strip() for line in value.splitlines())
    parts = {value, value.strip(), *(line for line in lines if len(line) >= LINE_CHARS_MIN)}
    forms = {form for part in parts for form in (part, *_as_json(part))}
    return {os.fsencode(form) for form in forms if len(form) >= CHARS_MIN}


def _as_json(text: str) -> list[str]:
    if text.isascii() and text.isprintable():
        return [to_json(text)[1:-1]]
    import json

    return [json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]]
