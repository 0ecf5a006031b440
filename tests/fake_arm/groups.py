"""One group of the fake: its request, its faults, and what a GET shows at a given time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fake_arm.backing import Inside, Run

_PULL_GIVES_UP = timedelta(minutes=30)
"""Source: container-instances-troubleshooting: the create's time limit."""
_TRIES_AGAIN = timedelta(minutes=4)
"""After how long a group that had failed is started by the platform all the same."""


@dataclass(kw_only=True)
class Group:
    name: str
    place: str
    body: dict[str, Any]
    created_at: datetime
    start_at: datetime
    inside: Inside
    trouble: str | None = None
    """The switch that was on when it was created."""
    restarts: int = 0
    first: Run | None = None
    """The first run of a container that was started again."""
    gone_at: datetime | None = None
    begun: bool = False
    """True: something of it was started."""

    @property
    def region(self) -> str:
        return str(self.body["location"])

    @property
    def spot(self) -> bool:
        return bool(self._properties.get("priority") == "Spot")

    @property
    def cores(self) -> float:
        return sum(float(c["properties"]["resources"]["requests"]["cpu"]) for c in self._properties["containers"])

    @property
    def _properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body["properties"]
        return properties

    @property
    def begins_at(self) -> datetime | None:
        """When its container is started; None: never."""
        if self.trouble in ("capacity_later", "pull_back_off"):
            return None
        return self.created_at + _TRIES_AGAIN if self.trouble == "failed_but_there" else self.start_at

    def may_begin(self, now: datetime) -> bool:
        """Say whether its container is started by now."""
        return self.begins_at is not None and now >= self.begins_at

    def document(self, run: Run, *, now: datetime, with_view: bool = True) -> dict[str, Any]:
        """Return the resource, as GET does; lists show it without its instance view."""
        properties = {name: value for name, value in self._properties.items() if name != "containers"}
        properties["provisioningState"] = self._provisioning(run, now)
        properties["isCustomProvisioningTimeout"] = False
        if with_view:
            properties["instanceView"] = {"events": self._group_events(now), "state": self._state(run, now)}
        properties["containers"] = [self._container(c, run, now, with_view) for c in self._properties["containers"]]
        document = {name: value for name, value in self.body.items() if name not in ("properties", "id", "name")}
        return {"id": f"/{self.name}", "name": self.name, **document, "properties": properties}

    def _container(self, asked: dict[str, Any], run: Run, now: datetime, with_view: bool) -> dict[str, Any]:
        properties = dict(asked["properties"])
        # A secure value is never given back, only its name.
        properties["environmentVariables"] = [
            {"name": variable["name"]} if "secureValue" in variable else variable
            for variable in properties.get("environmentVariables", [])
        ]
        if with_view and now >= self.created_at + (self.start_at - self.created_at) / 2:
            view: dict[str, Any] = {
                "restartCount": self.restarts,
                "currentState": self._current(run, now),
                "events": self._events(run, now),
            }
            if self.first is not None:
                view["previousState"] = _terminated(self.first)
            properties["instanceView"] = view
        return {"name": asked["name"], "properties": properties}

    def _provisioning(self, run: Run, now: datetime) -> str:
        match self.trouble:
            case "capacity_later" if now >= self.start_at:
                return "Failed"
            case "failed_but_there" if now >= self.start_at:
                return "Failed"
            case "pull_back_off":
                return "Failed" if now >= self.created_at + _PULL_GIVES_UP else "Creating"
            case "repairing" if run.started_at is not None and self.restarts == 0:
                return "Repairing"
            case _:
                return "Succeeded" if run.started_at is not None else "Pending"

    def _state(self, run: Run, now: datetime) -> str:
        if self._provisioning(run, now) == "Failed" and run.started_at is None:
            return "Failed"
        if run.started_at is None:
            return "Pending"
        if run.finished_at is None:
            return "Running"
        return "Succeeded" if run.exit_code == 0 else "Failed"

    def _current(self, run: Run, now: datetime) -> dict[str, Any]:
        if run.started_at is None:
            waiting = "CrashLoopBackOff" if self.trouble == "pull_back_off" else ""
            return {"state": "Waiting", "detailStatus": waiting}
        if run.finished_at is None:
            return {"state": "Running", "startTime": _text(run.started_at), "detailStatus": ""}
        return _terminated(run)

    def _group_events(self, now: datetime) -> list[dict[str, Any]]:
        if self.trouble == "capacity_later" and now >= self.start_at:
            return [_event("InsufficientCapacity.", "Insufficient capacity to start the container group.", self, now)]
        return []

    def _events(self, run: Run, now: datetime) -> list[dict[str, Any]]:
        image = self.inside.image
        if self.trouble == "pull_back_off":
            failed = f'Failed to pull image "{image}": [rpc error: code = NotFound desc = image not found]'
            return [
                _event("Pulling", f'pulling image "{image}"', self, now),
                _event("Failed", failed, self, now, count=3),
                _event("BackOff", f'Back-off pulling image "{image}"', self, now, count=5),
            ]
        if self.trouble == "failed_but_there" and run.started_at is None:
            return [_event("Failed", "Error: failed to start the container group", self, now)]
        names = ["Pulling", *(["Pulled", "Created", "Started"] if run.started_at is not None else [])]
        return [_event(name, f"{name.lower()} {image}", self, now) for name in names]


def _event(name: str, message: str, group: Group, now: datetime, count: int = 1) -> dict[str, Any]:
    return {
        "name": name,
        "message": message,
        "type": "Warning" if name in ("Failed", "BackOff") else "Normal",
        "count": count,
        "firstTimestamp": _text(min(group.created_at, now)),
        "lastTimestamp": _text(now),
    }


def _terminated(run: Run) -> dict[str, Any]:
    assert run.started_at is not None
    return {
        "state": "Terminated",
        "startTime": _text(run.started_at),
        "exitCode": run.exit_code,
        "finishTime": _text(run.finished_at) if run.finished_at is not None else None,
        "detailStatus": "Completed" if run.exit_code == 0 else "Error",
    }


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
