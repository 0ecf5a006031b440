"""Everything that Mayfly refuses or gives up on, sorted by what the caller does next.

One root. `Rejected` and its kin: the caller must change something (they become a 4xx problem document that names the
field and the mend). `TryAgain`: nothing is wrong with the request; the same again later may work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class MayflyError(Exception):
    """The root; never raised itself."""


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One mistake: where it is, and what would be right."""

    field: str
    """Dotted path into the body (`retry.max_attempts`), or `query.NAME`, `header.NAME`, `body`."""
    message: str
    """Names the value and the mend: `must be between 0.1 and 31 (got 64)`."""


class Rejected(MayflyError):
    """The request is wrong; nothing was written.

    `status` is the HTTP status that says so (RFC 9110), `errors` name each field.
    """

    def __init__(self, title: str, errors: Sequence[FieldError] = (), *, status: int = 422) -> None:
        self.title = title
        self.errors = tuple(errors)
        self.status = status
        super().__init__("; ".join([title, *(f"{error.field}: {error.message}" for error in errors)]))


class NotFound(Rejected):
    """There is no such job."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"there is no job {job_id!r}",
            [FieldError(field="job_id", message="list the jobs with GET /api/jobs to find the id")],
            status=404,
        )


class Unauthorized(Rejected):
    """The report token is missing, wrong, expired, or for another job or attempt."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(
            "this report is not authorized",
            [FieldError(field="header.Authorization", message=message)],
            status=status,
        )


class PositionTaken(MayflyError):
    """Somebody else appended first; nothing was written. Load the stream, decide again."""

    def __init__(self, *, job_id: str, expected_position: int) -> None:
        self.job_id = job_id
        self.expected_position = expected_position
        super().__init__(f"stream {job_id} has moved past position {expected_position}: load it and decide again")


class ImpossibleEvent(MayflyError):
    """An event was applied in a state that cannot follow it: the stream is damaged, or the writer has a defect."""

    def __init__(self, *, job_id: str, position: int, event_type: str, state: str) -> None:
        super().__init__(f"{event_type} at position {position} of {job_id} cannot follow the state {state!r}")


class TryAgain(MayflyError):
    """A store or platform did not answer; nothing is known to be wrong with the request."""


class RuntimeUnavailable(TryAgain):
    """The platform did not answer, or said nothing about the group. Retry; assume nothing."""


class SecretMissing(MayflyError):
    """A reference names no secret. Holds the name, never a value."""

    def __init__(self, name: str, hint: str) -> None:
        self.name = name
        self.hint = hint
        super().__init__(f"there is no secret {name!r}: {hint}")


class SettingInvalid(MayflyError):
    """A setting has a value that it cannot have; the text names the setting, the value and the fix."""
