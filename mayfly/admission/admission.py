"""The port that says whether a job may start now, and in which place; a job that may not is held, never failed (I9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mayfly.jobs.job import Job


@dataclass(frozen=True, kw_only=True, slots=True)
class Admitted:
    """It may start here, and its share of the place is set aside."""

    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """It may not start yet."""

    reason: str
    """For people: which limit, and how much of it is used."""
    until: datetime
    """When to ask again."""


class Admission(Protocol):
    """The ledger of what each place has left. It can be lost: the container groups say what is used (I1)."""

    async def admit(self, job: Job, *, now: datetime) -> Admitted | Held:
        """Admit the job or hold it; asking again for the same job changes nothing."""
        ...

    async def release(self, job_id: str) -> None:
        """Give back what was set aside: the job's container is seen gone."""
        ...

    async def may_delete(self, place_name: str, *, now: datetime) -> datetime | None:
        """Count one delete in that place; None: go on. A time: nothing was counted, ask again then.

        A delete is never refused, it only waits.
        """
        ...

    async def obstacles(self, *, cpu: float, memory_gb: float, now: datetime) -> tuple[str | None, Sequence[str]]:
        """Say where a job of this size would go first, and what keeps it from ever starting.

        Shapes: None where no place holds it; no obstacles where at least one place does.
        """
        ...

    async def close(self) -> None:
        """Release what the ledger holds open."""
        ...
