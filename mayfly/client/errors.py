"""Errors that end a command: a sentence, the lines below it, and the exit code. Users never see a traceback.

Exit codes: 0 done; 1 it ran and the answer is negative (a job failed, a check failed); 2 the request is wrong (the API
answered with 4xx, or the command line is invalid); 3 the API did not answer; 130 Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Sequence


class ClientError(Exception):
    """A sentence for people, and the lines below it."""

    exit_code = 1

    def __init__(self, text: str, lines: Sequence[str] = ()) -> None:
        self.text = text
        self.lines = tuple(lines)
        super().__init__("\n".join([text, *lines]))


class BadRequest(ClientError):
    """The request must be changed."""

    exit_code = 2

    def __init__(self, text: str, lines: Sequence[str] = (), *, status: int | None = None) -> None:
        self.status = status
        """The status that the API answered with; None if no request was sent."""
        super().__init__(text, lines)


class Unreachable(ClientError):
    """The API did not answer, or its answer cannot be used."""

    exit_code = 3
