"""The port to whatever runs a container group: what Mayfly asks of Azure Container Instances, or of this machine.

A *group* is one container with its name, its environment and its log; Mayfly makes one per attempt and never reuses
a name. Every call is safe to repeat. The port decides nothing about jobs: it creates, looks and deletes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from mayfly.errors import MayflyError
from mayfly.jobs.refusal import Refusal

GroupState = Literal["pending", "running", "exited"]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a runtime can do, so that nobody has to ask which runtime it is."""

    runs_images: bool
    """False: `image` is recorded but not used; the command runs on this machine."""
    enforces_memory: bool
    enforces_cpu: bool
    live_metrics: bool
    """False: readings are published by the platform with a delay of a minute or more."""


@dataclass(frozen=True, kw_only=True)
class GroupRequest:
    """Everything that one group is made of. Holds secrets: it is never logged or stored (I8)."""

    group: str
    """Unique per job, attempt and place; 1 to 63 lower-case letters, digits and single inner hyphens."""
    place: str
    job_id: str
    attempt: int
    image: str | None
    """None: the runtime's own worker image."""
    command: Sequence[str]
    """What the worker runs. Empty: the worker's demo work on `MESSAGE`."""
    env: Mapping[str, str]
    secure_env: Mapping[str, str] = field(repr=False)
    """Passed to the container and kept nowhere else: the report token and resolved secrets."""
    cpu: float
    memory_gb: float
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class GroupStatus:
    """A group as its platform sees it at this moment."""

    group: str
    phase: GroupState
    deleting: bool
    exit_code: int | None
    """Of the container's main process; None while it runs, and None after the exit where nobody saw the code."""
    started_at: datetime | None
    exited_at: datetime | None
    pulling_at: datetime | None = None
    """When the platform began to pull the image of the first run; None where it did not, or does not say."""
    restart_count: int = 0
    detail: str = ""
    """The platform's own words (pull back-off, killed from outside), for people."""
    refusal: Refusal | None = None
    """The platform accepted the group and found out afterwards that it will not run it. The group is still there."""


@dataclass(frozen=True, kw_only=True)
class GroupListing:
    """One group of ours, found by its tags."""

    group: str
    place: str
    job_id: str
    attempt: int
    created_at: datetime
    troubled: bool = False
    """The platform says that something is wrong with it, and nothing more: it is worth a look."""


@dataclass(frozen=True, kw_only=True)
class LogTail:
    """The end of a container's output."""

    text: str
    truncated: bool
    """True: there was more before `text`, and it is no longer to be had here."""


@dataclass(frozen=True, kw_only=True)
class MetricSample:
    """CPU in cores and memory in bytes, of the whole group."""

    at: datetime
    cpu_cores: float
    memory_bytes: int


class GroupRefused(MayflyError):
    """The platform would not create the group; nothing of it is left unless `GroupStatus` says so."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(str(refusal))


class ContainerRuntime(Protocol):
    """Create, look at and delete container groups.

    Errors: every method may raise `RuntimeUnavailable`; what it was asked to change may or may not have changed.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    async def create(self, request: GroupRequest) -> None:
        """Ask for the group and return before it runs. A group of that name that is already there is success.

        Errors: `GroupRefused`, with what to do next.
        """
        ...

    async def inspect(self, group: str, *, place: str) -> GroupStatus | None:
        """Look. None means that the platform was asked and has no such group (404): it is *seen gone* (I5)."""
        ...

    async def logs(self, group: str, *, place: str, bytes_max: int) -> LogTail | None:
        """Return the last `bytes_max` bytes of output, decoded with replacement; None when the group is gone."""
        ...

    async def metrics(self, group: str, *, place: str) -> Sequence[MetricSample]:
        """Return the readings so far, oldest first, taking a new one where the runtime takes them itself.

        Empty when there are none or the group is gone.
        """
        ...

    async def delete(self, group: str, *, place: str) -> bool:
        """Ask for the group to be deleted, whole.

        True: the platform says that nothing of that name is left, so that no look is needed (I5). False: it will go;
        `inspect` tells when it is gone.
        """
        ...

    async def list(self) -> Sequence[GroupListing]:
        """Return every group that carries Mayfly's tag, in every place, whatever its state."""
        ...
