"""All errors of Mayfly, sorted by what the caller should do next.

They have one root. `Rejected` and its subclasses: the caller must change the request; the API answers with a 4xx
problem document that names the field and the fix. `TryAgain`: the same request may succeed later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class MayflyError(Exception):
    """The root of all errors; it is never raised itself."""


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One mistake in a request: its place and its fix."""

    field: str
    """Dotted path into the body (`retry.max_attempts`), or `query.NAME`, `header.NAME`, `body`."""
    message: str
    """Names the value and the fix: `must be between 0.1 and 31 (got 64)`."""


class Rejected(MayflyError):
    """The request is invalid; nothing was written.

    Shapes: `status`: the HTTP status of the answer (RFC 9110). `errors`: one entry for each invalid field.
    """

    def __init__(self, title: str, errors: Sequence[FieldError] = (), *, status: int = 422) -> None:
        self.title = title
        self.errors = tuple(errors)
        self.status = status
        super().__init__("; ".join([title, *(f"{error.field}: {error.message}" for error in errors)]))

    @classmethod
    def of_field(cls, title: str, field: str, message: str, *, status: int = 422) -> Rejected:
        """Return the rejection of a request with one mistake; see `FieldError`."""
        return Rejected(title, [FieldError(field=field, message=message)], status=status)


class NotFound(Rejected):
    """The job does not exist."""

    def __init__(self, job_id: str) -> None:
        error = FieldError(field="job_id", message="list the jobs with GET /api/jobs to find the id")
        super().__init__(f"there is no job {job_id!r}", [error], status=404)


class Unauthorized(Rejected):
    """The report token is missing, wrong, expired, or for another job or attempt."""

    def __init__(self, message: str, *, status: int) -> None:
        error = FieldError(field="header.Authorization", message=message)
        super().__init__("this report is not authorized", [error], status=status)


class PositionTaken(MayflyError):
    """Another writer appended first; nothing was written. Load the stream and decide again."""

    def __init__(self, *, job_id: str, expected_position: int) -> None:
        self.job_id = job_id
        self.expected_position = expected_position
        super().__init__(f"stream {job_id} has moved past position {expected_position}; load it and decide again")


class ImpossibleEvent(MayflyError):
    """An event was applied in a state that does not allow it: the stream is damaged, or its writer has a bug."""

    def __init__(self, *, job_id: str, position: int, event_type: str, state: str) -> None:
        super().__init__(f"{event_type} at position {position} of {job_id} cannot follow the state {state!r}")


class TryAgain(MayflyError):
    """A store or the platform did not answer. Nothing is known to be wrong with the request; retry it."""


class RuntimeUnavailable(TryAgain):
    """The platform did not answer, or its answer says nothing about the group. Assume nothing and retry."""


class SecretMissing(MayflyError):
    """A reference names a secret that does not exist. The error holds the name, never a value."""

    def __init__(self, name: str, hint: str) -> None:
        self.name = name
        self.hint = hint
        super().__init__(f"there is no secret {name!r}: {hint}")


class SettingInvalid(MayflyError):
    """A setting has an invalid value; the text names the setting, the value and the fix."""
