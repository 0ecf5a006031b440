"""Errors that end a command: a sentence, the lines below it, and the exit code. Users never see a traceback.

Exit codes: 0 done; 1 it ran and the answer is negative (a job failed, a check failed); 2 the request is wrong (the API
answered with 4xx, or the command line is invalid); 3 the API did not answer; 130 Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Sequence


class ClientError(Exception):
    """A sentence for people, the lines below it, and the exit code."""

    def __init__(self, text: str, lines: Sequence[str] = (), *, exit_code: int = 1) -> None:
        self.text = text
        self.lines = tuple(lines)
        self.exit_code = exit_code
        super().__init__("\n".join([text, *lines]))


class BadRequest(ClientError):
    """The request must be changed."""

    def __init__(self, text: str, lines: Sequence[str] = (), *, status: int | None = None) -> None:
        self.status = status
        """The status that the API answered with; None if no request was sent."""
        super().__init__(text, lines, exit_code=2)


class Unreachable(ClientError):
    """The API did not answer, or its answer cannot be used."""

    def __init__(self, text: str, lines: Sequence[str] = ()) -> None:
        super().__init__(text, lines, exit_code=3)
