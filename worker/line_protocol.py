"""Find the lines in a command's output that are meant for Mayfly: `::progress` and `::result`.

It handles output of any size and kind. It searches whole chunks for the start of such a line and never splits them into
lines, so 100 MB of output cost a fraction of a second and a few kilobytes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RESULT_BYTES_MAX = 65_536

_LINE_BYTES_MAX = RESULT_BYTES_MAX + 1_024
_PROGRESS = b"::progress"
_RESULT = b"::result"


class LineProtocol:
    """A parser for output that arrives in pieces: call `feed` for each, then `close`, then `result`.

    The last `::result` line wins, even if it is invalid.
    """

    def __init__(self, on_progress: Callable[[float | None, str], None]) -> None:
        self._on_progress = on_progress
        self._result_line: bytes | None = None
        # Always empty or the beginning of "\n::...": an incomplete line that may be meant for Mayfly.
        self._unfinished = b"\n"

    def feed(self, data: bytes) -> None:
        """Parse the next piece of output, and report each progress line in it."""
        data = self._unfinished + data
        at = data.find(b"\n::")
        while at >= 0:
            end = data.find(b"\n", at + 1)
            if end < 0:
                self._unfinished = data[at:]
                if len(self._unfinished) > _LINE_BYTES_MAX:
                    self._line(self._unfinished[1 : _LINE_BYTES_MAX + 1])
                    self._unfinished = b""
                return
            self._line(data[at + 1 : end])
            at = data.find(b"\n::", end)
        self._unfinished = next((end for end in (b"\n:", b"\n") if data.endswith(end)), b"")

    def close(self) -> None:
        """Treat a last line without a newline as complete."""
        self.feed(b"\n")

    def result(self) -> str:
        """Return the result as JSON text, "null" if the command printed none.

        Errors: ValueError, with a message for people, if the last result line is not usable JSON.
        """
        if self._result_line is None:
            return "null"
        import json

        line = self._result_line
        if len(line) > RESULT_BYTES_MAX:
            raise ValueError(f"the result is larger than {RESULT_BYTES_MAX} bytes; it begins with {_beginning(line)}")
        try:
            text = line.decode("utf-8")
            value = json.loads(text, parse_constant=_no_constant)
            # Rejects values that JSON can express but no store can keep: 1e999, and lone surrogates.
            json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the result is not valid JSON ({error}); it begins with {_beginning(line)}") from None
        return text

    def _line(self, line: bytes) -> None:
        word, _, rest = line.rstrip(b"\r").partition(b" ")
        if word == _RESULT:
            self._result_line = rest.strip()
        elif word == _PROGRESS:
            self._on_progress(*parse_progress(rest.decode("utf-8", "replace")))


def parse_progress(text: str) -> tuple[float | None, str]:
    """Split `0.4 resizing` into fraction and message.

    Shapes: the fraction is None, and the first word part of the message, unless that word is a number from 0 to 1.

    >>> parse_progress("0.4 resizing"), parse_progress("resizing"), parse_progress("1")
    ((0.4, 'resizing'), (None, 'resizing'), (1.0, ''))
    """
    text = text.strip()
    first, _, rest = text.partition(" ")
    try:
        fraction = float(first)
    except ValueError:
        return None, text
    return (fraction, rest.strip()) if 0 <= fraction <= 1 else (None, text)


def _beginning(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "replace"))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")
