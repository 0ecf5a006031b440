"""The port to the platform that runs container groups: Azure Container Instances, or this machine.

A *group* is one container with its name, environment and output. Mayfly creates one per attempt and never reuses a
name. Every call is safe to repeat. The port decides nothing about jobs: it creates, inspects and deletes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from mayfly.errors import MayflyError
from mayfly.jobs.refusal import Refusal

GroupState = Literal["pending", "running", "exited"]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME_CHARS_MAX = 63
_CONTINUATION = bytes(range(0x80, 0xC0))
"""In UTF-8, the second and later bytes of a character; there are up to three."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """The abilities of a runtime, so that no caller has to ask which runtime it is."""

    runs_images: bool
    """False: `image` is recorded but ignored; the command runs directly on this machine."""
    enforces_memory: bool
    enforces_cpu: bool
    live_metrics: bool
    """False: the platform publishes metrics with a delay of a minute or more."""


@dataclass(frozen=True, kw_only=True)
class GroupRequest:
    """Everything needed to create a group. It holds secrets, so it is never logged or stored (I8)."""

    group: str
    """Unique per job, attempt and place; 1 to 63 lower-case letters, digits and single inner hyphens."""
    place: str
    job_id: str
    attempt: int
    image: str | None
    """None: the runtime's own worker image."""
    command: Sequence[str]
    """The command that the worker runs. Empty: the worker's demo task on `MESSAGE`."""
    env: Mapping[str, str]
    secure_env: Mapping[str, str] = field(repr=False)
    """The report token and resolved secrets; only the container receives them."""
    cpu: float
    memory_gb: float


@dataclass(frozen=True, kw_only=True)
class GroupStatus:
    """The status of a group, as reported by its platform."""

    group: str
    phase: GroupState
    deleting: bool
    exit_code: int | None
    """Exit code of the container's main process; None while it runs, or if the code is unknown."""
    started_at: datetime | None = None
    exited_at: datetime | None = None
    pulling_at: datetime | None = None
    """Start of the image pull for the first run; None if there was none, or the platform does not report it."""
    detail: str = ""
    """The platform's own words (pull back-off, killed from outside), for people."""
    refusal: Refusal | None = None
    """Why the platform will not run a group that it had accepted. The group still exists."""


@dataclass(frozen=True, kw_only=True)
class GroupListing:
    """One of Mayfly's groups, found by its tags."""

    group: str
    place: str
    job_id: str
    attempt: int
    created_at: datetime
    troubled: bool = False
    """The platform reports a problem without details: the group should be polled."""


@dataclass(frozen=True, kw_only=True)
class LogTail:
    """The end of a container's output."""

    text: str
    truncated: bool
    """True: the output before `text` is no longer available here."""


@dataclass(frozen=True, kw_only=True)
class MetricSample:
    """CPU in cores and memory in bytes, for the whole group."""

    at: datetime
    cpu_cores: float
    memory_bytes: int


class GroupRefused(MayflyError):
    """The platform refused to create the group; none of it is left unless `GroupStatus` shows it."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(str(refusal))


def is_group_name(group: str) -> bool:
    """Say whether a text can be the name of a group; `..` and `a/b` cannot."""
    return len(group) <= _NAME_CHARS_MAX and _NAME.fullmatch(group) is not None


def check_group_name(group: str) -> None:
    """Refuse to create a group whose name is invalid. Errors: `GroupRefused`."""
    if not is_group_name(group):
        rule = f"a group name must have 1 to {_NAME_CHARS_MAX} characters of a-z, 0-9 and single inner hyphens"
        message = f"{rule} (got {group!r})"
        raise GroupRefused(Refusal(kind="permanent", code="InvalidGroupName", message=message, hint="use another name"))


def end_of_output(data: bytes) -> str:
    """Decode the end of a longer output, without the rest of a character that its beginning may have cut.

    >>> end_of_output("né".encode()[2:] + b"e")
    'e'
    """
    return (data[:3].lstrip(_CONTINUATION) + data[3:]).decode("utf-8", "replace")


class ContainerRuntime(Protocol):
    """Create, inspect and delete container groups.

    Errors: every method may raise `RuntimeUnavailable`; the requested change may or may not have happened.
    """

    @property
    def capabilities(self) -> Capabilities:
        """Return the abilities of this runtime."""

    async def create(self, request: GroupRequest) -> None:
        """Request the group and return before it runs. If a group of that name exists, this is a success.

        Errors: `GroupRefused`, with the reason and the next step.
        """

    async def inspect(self, group: str, *, place: str) -> GroupStatus | None:
        """Return the status of a group; None: the platform has no such group (404), so it is *confirmed gone* (I5)."""

    async def logs(self, group: str, *, place: str, bytes_max: int) -> LogTail | None:
        """Return the last `bytes_max` bytes of output, decoded with replacement; None if the group is gone."""

    async def metrics(self, group: str, *, place: str) -> Sequence[MetricSample]:
        """Return the samples so far, oldest first. A runtime with `live_metrics` takes a new one.

        Shapes: empty if there are none or the group is gone.
        """

    async def delete(self, group: str, *, place: str) -> bool:
        """Request the deletion of the whole group.

        Shapes: True: the platform confirms that no such group exists, so no poll is needed (I5). False: the
        deletion was accepted; `inspect` returns None once the group is gone.
        """

    async def list(self) -> Sequence[GroupListing]:
        """Return every group that carries Mayfly's tag, in all places and states."""
