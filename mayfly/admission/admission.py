"""The port that decides whether a job may start now, and where. A job that may not start is held, never failed (I9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mayfly.jobs.job import Job


@dataclass(frozen=True, kw_only=True, slots=True)
class Admitted:
    """The job may start in this place, and its share of the place is reserved."""

    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """The job may not start yet."""

    reason: str
    """For people: the limit, and how much of it is used."""
    until: datetime
    """When to request admission again."""


class Admission(Protocol):
    """Admission to all places. Its ledger can be lost: the container groups show what is in use (I1).

    Errors: every method may raise `TryAgain` if the ledger or the platform does not answer.
    """

    async def admit(self, job: Job, *, now: datetime) -> Admitted | Held:
        """Admit the job or hold it. Repeating the request for an admitted job changes nothing."""

    async def release(self, job_id: str) -> None:
        """Return the job's reservation; call it once the job's container is confirmed gone."""

    async def may_delete(self, place_name: str, *, now: datetime) -> datetime | None:
        """Count one delete in this place, or return when to ask again.

        Shapes: None: the delete is counted and may be sent. A time: nothing is counted. A delete is never refused, only
        delayed.
        """

    async def obstacles(self, *, cpu: float, memory_gb: float, now: datetime) -> tuple[str | None, Sequence[str]]:
        """Return the first place for a job of this size, and the reasons that would keep it from ever starting.

        Shapes: place None: no place is large enough. No reasons: at least one place can run it.
        """
