"""What a container group of Azure shows, and how that reads in Mayfly's words: pure, from facts to `GroupStatus`.

What Azure's states do not say is told by its events. A group that is `Failed` is still there and may still be trying;
a container may be started again although its policy is Never; the first exit is the one that counts, because only the
first run was the attempt.

Source: container-state and container-instances-troubleshooting; support article on exit codes 7147 and 7148.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mayfly.containers.aci.refusals import classify
from mayfly.containers.runtime import GroupState, GroupStatus
from mayfly.jobs.refusal import Refusal

PULL_PATIENCE_S = 180.0
"""How long an image that cannot be pulled is tried by the platform before the attempt ends; it would take 30 min."""
TROUBLED = frozenset({"Failed", "Unhealthy", "Repairing"})
"""Provisioning states of a group that will not do its work, or not here."""
_MAINTENANCE = frozenset({7147, 7148})
_TROUBLE = frozenset({"Failed", "BackOff", "InsufficientCapacity"})
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
    """One answer of the platform. Empty text and None where it said nothing."""

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
    happenings: tuple[GroupEvent, ...] = ()


def happening(
    *, name: str, message: str, count: int, first_at: datetime | None, last_at: datetime | None
) -> GroupEvent:
    """Make one event; some names come with a full stop behind them."""
    return GroupEvent(name=name.rstrip("."), message=message, count=count, first_at=first_at, last_at=last_at)


def status_of(facts: GroupSnapshot, *, now: datetime) -> GroupStatus:
    """Read the facts."""
    phase, exit_code, started_at, exited_at = _life(facts)
    never_ran = facts.started_at is None and facts.restarts == 0 and phase == "pending"
    return GroupStatus(
        group=facts.group,
        phase=phase,
        deleting=facts.provisioning == "Deleting",
        exit_code=exit_code,
        started_at=started_at,
        exited_at=exited_at,
        pulling_at=next((one.first_at for one in facts.happenings if one.name == "Pulling"), None),
        restart_count=facts.restarts,
        detail=_detail(facts),
        refusal=_refusal(facts, now=now) if never_ran else None,
    )


def _life(facts: GroupSnapshot) -> tuple[GroupState, int | None, datetime | None, datetime | None]:
    if facts.restarts > 0:
        # Run a second time. The attempt was the first run; of its end the platform keeps the code, if anything.
        return "exited", _code(facts.previous_exit_code), facts.previous_started_at, facts.previous_exited_at
    if facts.container == "Terminated":
        return "exited", _code(facts.exit_code), facts.started_at, facts.exited_at
    if facts.container == "Running":
        if facts.provisioning == "Repairing":
            return "exited", None, facts.started_at, None  # it is being moved, and would begin anew elsewhere
        return "running", None, facts.started_at, None
    if facts.started_at is not None and facts.provisioning in TROUBLED:
        return "exited", None, facts.started_at, facts.exited_at
    if facts.state in ("Succeeded", "Stopped"):
        return "exited", None, facts.started_at, facts.exited_at
    return "pending", None, None, None


def _code(exit_code: int | None) -> int | None:
    """Return the exit code of a process; Azure's own codes for its maintenance are none."""
    return exit_code if exit_code is not None and 0 <= exit_code <= _EXIT_CODE_MAX else None


def _refusal(facts: GroupSnapshot, *, now: datetime) -> Refusal | None:
    """Say why a group that was accepted will not run; None while it still may."""
    trouble = [one for one in facts.happenings if one.name in _TROUBLE]
    latest = trouble[-1] if trouble else None
    if latest is not None and latest.name == "InsufficientCapacity":
        return classify(status=None, code=latest.name, message=latest.message)
    pulling = next((one for one in trouble if "pull" in one.message.lower()), None)
    over = facts.provisioning == "Failed" or facts.state == "Failed"
    if pulling is not None:
        tried_s = (now - pulling.first_at).total_seconds() if pulling.first_at is not None else 0.0
        if over or tried_s >= PULL_PATIENCE_S:
            return classify(status=None, code="ImagePullBackOff", message=pulling.message)
        return None
    if over:
        code, message = ("ProvisioningFailed", "") if latest is None else (latest.name, latest.message)
        return classify(status=None, code=code, message=message or "the platform could not start the group")
    if facts.provisioning in ("Unhealthy", "Repairing"):
        return classify(
            status=None, code=facts.provisioning, message=f"the platform says that the group is {facts.provisioning}"
        )
    return None


def _detail(facts: GroupSnapshot) -> str:
    parts = []
    if facts.restarts:
        parts.append(f"the platform started it again ({facts.restarts}x); only its first run counts")
    if facts.exit_code in _MAINTENANCE or facts.previous_exit_code in _MAINTENANCE:
        parts.append("ended by the platform's maintenance")
    if facts.provisioning in TROUBLED:
        parts.append(f"the group is {facts.provisioning}")
    if facts.container_detail and facts.container_detail not in ("Completed",):
        parts.append(facts.container_detail)
    parts += [f"{one.name}: {one.message} ({one.count}x)" for one in facts.happenings if one.name in _TROUBLE]
    return "; ".join(parts)[:1_000]
