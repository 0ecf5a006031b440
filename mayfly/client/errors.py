"""What ends a command early: one exception with its text and its exit code, never a traceback.

Exit codes: 0 done; 1 it ran and the answer is no (a job failed, a check did not hold); 2 the request is wrong (what the
API answers with 4xx, and what the command line itself does not accept); 3 the API did not answer; 130 Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Sequence


class ClientError(Exception):
    """A sentence for people, lines below it, and the exit code."""

    def __init__(self, text: str, lines: Sequence[str] = (), *, exit_code: int = 1) -> None:
        self.text = text
        self.lines = tuple(lines)
        self.exit_code = exit_code
        super().__init__("\n".join([text, *lines]))


class BadRequest(ClientError):
    """The request must be changed."""

    def __init__(self, text: str, lines: Sequence[str] = (), *, status: int | None = None) -> None:
        self.status = status
        """What the API answered with; None where nothing was asked."""
        super().__init__(text, lines, exit_code=2)


class Unreachable(ClientError):
    """The API did not answer, or not with anything that can be used."""

    def __init__(self, text: str, lines: Sequence[str] = ()) -> None:
        super().__init__(text, lines, exit_code=3)
