"""Keep the values of secrets out of what leaves the worker: output, progress, result, messages (I8).

The job's command is given its secrets and may print them. Each value, as it is or as JSON spells it, becomes `***`,
also when it arrives in two pieces: an end of the output that may be the beginning of a secret is held back until more
comes or the command ends. That finds accidents. It is no wall against a command that spells a secret in its own way.
"""

from __future__ import annotations

import os

from worker.json_writer import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASK = b"***"
CHARS_MIN = 4
"""A shorter value would be found in too much that is no secret."""
_LINE_CHARS_MIN = 8
"""Of a value of several lines each line is masked that is at least so long: tools print keys indented."""


class Mask:
    """Fed with output as it comes; what `feed` and `flush` return may leave the worker."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        spellings = {spelling for value in values if len(value) >= CHARS_MIN for spelling in _spellings(value)}
        # The longest first, so that one that contains another goes whole.
        self._secrets = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return what is sure to hold no secret by now."""
        return self._masked(self._held + data, end=False) if self._secrets else data

    def flush(self) -> bytes:
        """Return the rest: nothing more will come."""
        return self._masked(self._held, end=True)

    def text(self, text: str) -> str:
        """Mask a text that is whole."""
        if not self._secrets:
            return text
        return self._over(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def _over(self, data: bytes) -> bytes:
        held, self._held = self._held, b""
        masked = self._masked(data, end=True)
        self._held = held
        return masked

    def _masked(self, data: bytes, *, end: bool) -> bytes:
        done = []
        at = 0
        hold = len(data) if end else self._unsure(data, 0)
        while True:
            found, secret = self._first(data, at)
            # One that begins where an unfinished one may begin too waits for the longer one.
            if secret is None or found >= hold:
                break
            done += [data[at:found], MASK]
            at = found + len(secret)
            if at > hold:
                hold = len(data) if end else self._unsure(data, at)
        done.append(data[at:hold])
        self._held = data[hold:]
        return b"".join(done)

    def _first(self, data: bytes, at: int) -> tuple[int, bytes | None]:
        """Return the earliest secret from there on, the longest of those at one place."""
        best, secret = len(data), None
        for one in self._secrets:
            found = data.find(one, at, best + len(one))
            if 0 <= found < best:
                best, secret = found, one
        return best, secret

    def _unsure(self, data: bytes, at: int) -> int:
        """Return where an end begins that may be the beginning of a secret; the data's length when none does."""
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
    """Return the mask for the variables in a comma-separated list of names.

    >>> mask_of({"A": "pa55word"}, "A,B").feed(b"it is pa55word.")
    b'it is ***.'
    """
    return Mask([environment[name] for name in names.split(",") if name in environment])


def _spellings(value: str) -> list[bytes]:
    texts = [value, value.strip(), to_json(value)[1:-1]]
    if not value.isascii():
        import json

        texts.append(json.dumps(value)[1:-1])
    texts += [line for part in value.splitlines() if len(line := part.strip()) >= _LINE_CHARS_MIN]
    return [os.fsencode(text) for text in texts if len(text) >= CHARS_MIN]
