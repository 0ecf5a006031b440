"""A container platform scripted by a test: `ContainerRuntime` without containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mayfly.containers.runtime import (
    Capabilities,
    GroupListing,
    GroupRefused,
    GroupRequest,
    GroupState,
    GroupStatus,
    LogTail,
    MetricSample,
)
from mayfly.errors import RuntimeUnavailable
from mayfly.jobs.refusal import Refusal, RefusalKind

_BEGINNING = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class ScriptedRuntime:
    """Groups stay `pending` until the test moves them, and are gone when they are deleted unless `deletes_slowly`."""

    def __init__(self) -> None:
        self.statuses: dict[str, GroupStatus] = {}
        self.listings: dict[str, GroupListing] = {}
        self.requests: list[GroupRequest] = []
        """Every requested create, in order, accepted or not."""
        self.deletes: list[str] = []
        self.texts: dict[str, str] = {}
        self.samples: dict[str, list[MetricSample]] = {}
        self.refusal: GroupRefused | None = None
        """Answers to the next creates."""
        self.loses_creates = False
        """True: a create is answered well and nothing comes of it."""
        self.unavailable: set[str] = set()
        """Names of methods that do not answer."""
        self.deletes_slowly = False

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(runs_images=False, enforces_memory=False, enforces_cpu=False, live_metrics=True)

    def move(self, group: str, phase: GroupState, *, exit_code: int | None = None, detail: str = "") -> None:
        """Report a group in this phase from now on."""
        self.statuses[group] = replace(self.statuses[group], phase=phase, exit_code=exit_code, detail=detail)

    def add(self, group: str, *, job_id: str, attempt: int) -> None:
        """Add a group that was not created here."""
        self.statuses[group] = GroupStatus(
            group=group, phase="running", deleting=False, exit_code=None, started_at=_BEGINNING, exited_at=None
        )
        self.listings[group] = GroupListing(
            group=group, place="local", job_id=job_id, attempt=attempt, created_at=_BEGINNING
        )

    def lose(self, group: str) -> None:
        """Let a group vanish."""
        self.statuses.pop(group, None)
        self.listings.pop(group, None)

    async def create(self, request: GroupRequest) -> None:
        self.requests.append(request)
        self._answer("create")
        if self.refusal is not None:
            raise self.refusal
        if request.group not in self.statuses and not self.loses_creates:
            self.add(request.group, job_id=request.job_id, attempt=request.attempt)
            self.move(request.group, "pending")

    async def inspect(self, group: str, *, place: str) -> GroupStatus | None:
        self._answer("inspect")
        return self.statuses.get(group)

    async def logs(self, group: str, *, place: str, bytes_max: int) -> LogTail | None:
        self._answer("logs")
        if group not in self.statuses:
            return None
        text = self.texts.get(group, "")
        return LogTail(text=text[-bytes_max:], truncated=len(text) > bytes_max)

    async def metrics(self, group: str, *, place: str) -> Sequence[MetricSample]:
        self._answer("metrics")
        return self.samples.get(group, []) if group in self.statuses else []

    async def delete(self, group: str, *, place: str) -> bool:
        self.deletes.append(group)
        self._answer("delete")
        if self.deletes_slowly:
            return False
        self.lose(group)
        return True

    async def list(self) -> Sequence[GroupListing]:
        self._answer("list")
        return list(self.listings.values())

    def _answer(self, method: str) -> None:
        if method in self.unavailable:
            raise RuntimeUnavailable(f"{method} got no answer")


def refused(refusal: RefusalKind, *, retry_after_s: float | None = None) -> GroupRefused:
    """Return a refusal of this class."""
    return GroupRefused(
        Refusal(kind=refusal, code="Refused", message="not today", hint="ask again", retry_after_s=retry_after_s)
    )
