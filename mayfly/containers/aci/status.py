"""Translate the state of an Azure container group into `GroupStatus`: a pure function of a snapshot.

Azure's states are incomplete; its events add the rest. A `Failed` group still exists and may still be retrying. Azure
may restart a container in spite of the policy Never; only the first run was the attempt, so only its exit counts.

Source: container-state and container-instances-troubleshooting; support article on exit codes 7147 and 7148.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mayfly.containers.aci.refusals import classify
from mayfly.containers.runtime import GroupState, GroupStatus
from mayfly.jobs.refusal import Refusal

PULL_PATIENCE_S = 180.0
"""How long the platform may retry a failing image pull before the attempt ends; on its own it takes 30 minutes."""
TROUBLED = frozenset({"Failed", "Unhealthy", "Repairing"})
"""Provisioning states of a group that will not run its work, or not on this node."""
_MAINTENANCE = frozenset({7147, 7148})
_TROUBLE_EVENTS = frozenset({"Failed", "BackOff", "InsufficientCapacity"})
_EXIT_CODE_MAX = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupEvent:
    """One event of a group or its container."""

    name: str
    message: str
    count: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupSnapshot:
    """One response of the platform. Shapes: empty text and None for missing parts."""

    group: str
    provisioning: str
    state: str
    container: str
    container_detail: str
    started_at: datetime | None
    exited_at: datetime | None
    exit_code: int | None
    restarts: int
    previous_exit_code: int | None
    previous_started_at: datetime | None
    previous_exited_at: datetime | None
    events: tuple[GroupEvent, ...] = ()


def status_of(snapshot: GroupSnapshot, *, now: datetime) -> GroupStatus:
    """Return the status that a snapshot shows."""
    phase, exit_code, started_at, exited_at = _life(snapshot)
    never_ran = snapshot.started_at is None and snapshot.restarts == 0 and phase == "pending"
    return GroupStatus(
        group=snapshot.group,
        phase=phase,
        deleting=snapshot.provisioning == "Deleting",
        exit_code=exit_code,
        started_at=started_at,
        exited_at=exited_at,
        pulling_at=next((one.first_at for one in snapshot.events if one.name == "Pulling"), None),
        detail=_detail(snapshot),
        refusal=_refusal(snapshot, now=now) if never_ran else None,
    )


def _life(snapshot: GroupSnapshot) -> tuple[GroupState, int | None, datetime | None, datetime | None]:
    if snapshot.restarts > 0:
        # Restarted. The attempt was the first run; the platform keeps its exit code, if anything.
        return "exited", _code(snapshot.previous_exit_code), snapshot.previous_started_at, snapshot.previous_exited_at
    if snapshot.container == "Terminated":
        return "exited", _code(snapshot.exit_code), snapshot.started_at, snapshot.exited_at
    if snapshot.container == "Running":
        if snapshot.provisioning == "Repairing":
            return "exited", None, snapshot.started_at, None  # it is being moved, and would restart on another node
        return "running", None, snapshot.started_at, None
    troubled = snapshot.started_at is not None and snapshot.provisioning in TROUBLED
    if troubled or snapshot.state in ("Succeeded", "Stopped"):
        return "exited", None, snapshot.started_at, snapshot.exited_at
    return "pending", None, None, None


def _code(exit_code: int | None) -> int | None:
    """Return the exit code of the process; None for the codes that Azure uses for maintenance."""
    return exit_code if exit_code is not None and 0 <= exit_code <= _EXIT_CODE_MAX else None


def _refusal(snapshot: GroupSnapshot, *, now: datetime) -> Refusal | None:
    """Return why an accepted group will not run; None while it still may."""
    trouble = [one for one in snapshot.events if one.name in _TROUBLE_EVENTS]
    latest = trouble[-1] if trouble else None
    if latest is not None and latest.name == "InsufficientCapacity":
        return classify(status=None, code=latest.name, message=latest.message)
    pulling = next((one for one in trouble if "pull" in one.message.lower()), None)
    over = snapshot.provisioning == "Failed" or snapshot.state == "Failed"
    if pulling is not None:
        tried_s = (now - pulling.first_at).total_seconds() if pulling.first_at is not None else 0.0
        if over or tried_s >= PULL_PATIENCE_S:
            return classify(status=None, code="ImagePullBackOff", message=pulling.message)
        return None
    if over:
        code, message = ("ProvisioningFailed", "") if latest is None else (latest.name, latest.message)
        return classify(status=None, code=code, message=message or "the platform could not start the group")
    if snapshot.provisioning in ("Unhealthy", "Repairing"):
        message = f"the platform reports the group as {snapshot.provisioning}"
        return classify(status=None, code=snapshot.provisioning, message=message)
    return None


def _detail(snapshot: GroupSnapshot) -> str:
    parts = []
    if snapshot.restarts:
        parts.append(f"the platform restarted it ({snapshot.restarts}x); only the first run counts")
    if snapshot.exit_code in _MAINTENANCE or snapshot.previous_exit_code in _MAINTENANCE:
        parts.append("ended by platform maintenance")
    if snapshot.provisioning in TROUBLED:
        parts.append(f"the group is {snapshot.provisioning}")
    if snapshot.container_detail and snapshot.container_detail not in ("Completed",):
        parts.append(snapshot.container_detail)
    parts += [f"{one.name}: {one.message} ({one.count}x)" for one in snapshot.events if one.name in _TROUBLE_EVENTS]
    return "; ".join(parts)[:1_000]
