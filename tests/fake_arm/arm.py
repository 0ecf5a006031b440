"""The fake's state and rules: what each request changes and what it is answered, by a clock that is an argument."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fake_arm.backing import Backing, Inside, Run
from tests.fake_arm.groups import Group
from tests.fake_arm.limits import Bucket, Limits, Windows
from tests.fake_arm.switches import ON_CREATE, QUOTA, Error, Switch

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class ConnectionLost(Exception):
    """The request was taken and its answer is not sent."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, for those who count."""

    method: str
    what: str
    """group, logs, list, usages or operation."""
    group: str
    at: datetime
    status: int


@dataclass
class _Armed:
    switch: Switch
    times: int
    region: str | None


class FakeArm:
    """One subscription. `limits` may differ by region; `start_after_s` lies between PUT and the container's start."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        backing: Backing,
        limits: Limits | Mapping[str, Limits] = Limits(),  # noqa: B008 - frozen
        start_after_s: float = 0.5,
        gone_after_s: float = 1.0,
    ) -> None:
        self._clock = clock
        self._backing = backing
        self._limits = limits
        self._start_after = timedelta(seconds=start_after_s)
        self._gone_after = timedelta(seconds=gone_after_s)
        self._armed: list[_Armed] = []
        self._buckets: dict[str, Bucket] = {}
        self._creates: dict[str, Windows] = {}
        self._deletes: dict[str, Windows] = {}
        self._operations: dict[str, str] = {}
        self.groups: dict[str, Group] = {}
        self.calls: list[Call] = []
        self.created: dict[str, list[datetime]] = defaultdict(list)
        """Accepted creates by region."""
        self.deleted: dict[str, list[datetime]] = defaultdict(list)
        self.groups_most: dict[str, int] = defaultdict(int)
        """The most groups that a region ever had at one time."""
        self.updates = 0
        """Creates that changed an existing group, which restarts its container."""
        self.accepted: list[Inside] = []
        """The parameters of each accepted container."""
        self.bodies: list[str] = []
        """Every answer's text, for those who look for secrets."""

    def switch(self, name: Switch, *, times: int = 1, region: str | None = None) -> None:
        """Let the next `times` requests that it concerns, in one region or in all, go wrong in this way."""
        self._armed.append(_Armed(name, times, region))

    def count(self, method: str, group: str = "") -> int:
        """Count requests about groups whose name begins so."""
        return sum(call.method == method and call.group.startswith(group) and bool(call.group) for call in self.calls)

    async def answer(self, method: str, path: str, body: Any) -> Answer:
        """Answer one request."""
        parts = [part for part in path.split("/") if part]
        what, group = _target(parts)
        status = 0
        try:
            answer = await self._answer(method, what, group, parts, body)
            status = answer.status
            return answer
        finally:
            self.calls.append(Call(method=method, what=what, group=group, at=self._clock(), status=status))

    async def settle(self) -> None:
        """Begin what is due, and forget what is gone by now."""
        now = self._clock()
        for group in list(self.groups.values()):
            if group.gone_at is not None and now >= group.gone_at:
                self.groups.pop(group.name, None)
                await self._backing.stop(group.name)
            elif group.gone_at is None and not group.begun and group.may_begin(now):
                group.begun = True
                await self._backing.start(group.inside, max(group.start_at, group.created_at))

    def next_due(self) -> datetime | None:
        """Return when the next container begins or the next group goes, where that is known."""
        times = [group.gone_at for group in self.groups.values() if group.gone_at is not None]
        times += [
            begins
            for group in self.groups.values()
            if not group.begun and group.gone_at is None and (begins := group.begins_at) is not None
        ]
        return min(times, default=None)

    async def _answer(self, method: str, what: str, name: str, parts: list[str], body: Any) -> Answer:
        if (throttled := self._throttled(method)) is not None:
            return throttled
        if method == "GET" and self._strikes("server_error_everywhere", ""):
            return _error(Error(status=503, code="ServiceUnavailable", message="The service is unavailable."))
        await self.settle()
        match method, what:
            case "PUT", "group":
                return await self._put(name, body)
            case "GET", "group":
                return await self._get(name)
            case "DELETE", "group":
                return await self._delete(name)
            case "GET", "logs":
                return await self._logs(name)
            case "GET", "list":
                now = self._clock()
                runs = {name: await self._backing.look(name) for name, group in self.groups.items() if group.begun}
                documents = [
                    group.document(runs.get(name, Run()), now=now, with_view=False)
                    for name, group in self.groups.items()
                ]
                return Answer(status=200, body={"value": documents})
            case "GET", "usages":
                return self._usages(parts[-2])
            case "GET", "operation":
                return Answer(status=200, body={"status": self._operation(parts[-1])})
        return _error(Error(status=405, code="MethodNotAllowed", message=f"{method} is not supported"))

    async def _put(self, name: str, body: Any) -> Answer:
        now, region = self._clock(), str(body.get("location", ""))
        if (mistake := _mistake(name, body)) is not None:
            return _error(Error(status=400, code="InvalidParameter", message=mistake))
        container = body["properties"]["containers"][0]
        texts = {"group": name, "region": region, "image": container["properties"]["image"]}
        for switch, error in ON_CREATE.items():
            if self._strikes(switch, region):
                return _error(error, texts)
        if (known := self.groups.get(name)) is not None:
            return await self._put_again(known, body)
        if (refused := self._over_limits(region, body, now)) is not None:
            return refused
        trouble = next(
            (
                switch
                for switch in ("capacity_later", "pull_back_off", "failed_but_there", "repairing", "restart")
                if self._strikes(switch, region)
            ),
            None,
        )
        group = Group(
            name=name,
            place=region,
            body=body,
            created_at=now,
            start_at=now + self._start_after,
            inside=_inside(name, container),
            trouble=trouble,
        )
        self.groups[name] = group
        self.created[region].append(now)
        self.accepted.append(group.inside)
        here = sum(other.region == region for other in self.groups.values())
        self.groups_most[region] = max(self.groups_most[region], here)
        self._windows(self._creates, region).times.append(now)
        if self._strikes("connection_lost", region):
            raise ConnectionLost
        operation = uuid.uuid4().hex
        self._operations[operation] = name
        # Recorded from azure-cli: 201, Pending, the operation's address, and no Retry-After.
        return Answer(
            status=201,
            body=group.document(Run(), now=now),
            headers={"Azure-AsyncOperation": f"/subscriptions/s/providers/x/locations/{region}/operations/{operation}"},
        )

    async def _put_again(self, group: Group, body: Any) -> Answer:
        if group.gone_at is not None:
            return _error(ON_CREATE["transitioning"], {"group": group.name})
        if _changeable(group.body) != _changeable(body):
            self.updates += 1  # a change of the environment makes Azure restart the container
            group.body = body
            group.inside = _inside(group.name, body["properties"]["containers"][0])
            await self._backing.stop(group.name)
            group.begun, group.start_at = False, self._clock() + self._start_after
        return Answer(status=200, body=group.document(await self._backing.look(group.name), now=self._clock()))

    async def _get(self, name: str) -> Answer:
        group = self.groups.get(name)
        if group is None:
            return _not_found(name)
        run = await self._run_of(group)
        return Answer(status=200, body=group.document(run, now=self._clock()))

    async def _delete(self, name: str) -> Answer:
        group, now = self.groups.get(name), self._clock()
        if group is None:
            return Answer(status=204)
        if self._strikes("delete_transitioning", group.region):
            return _error(ON_CREATE["transitioning"], {"group": name})
        windows = self._windows(self._deletes, group.region)
        if (wait_s := windows.wait_s(now)) is not None:
            return _error(
                Error(status=429, code="TooManyRequests", message="deletes", retry_after_s=max(1, round(wait_s)))
            )
        windows.times.append(now)
        self.deleted[group.region].append(now)
        run = await self._backing.look(name)
        if not self._strikes("delete_ignored", group.region) and group.gone_at is None:
            group.gone_at = now + self._gone_after
        # Recorded from azure-cli: 200 with the group as body, and no header of a long-running operation.
        return Answer(status=200, body=group.document(run, now=now))

    async def _logs(self, name: str) -> Answer:
        group = self.groups.get(name)
        if group is None:
            return _not_found(name)
        run = await self._run_of(group)
        output = run.output
        if run.finished_at is not None:
            lines = output.splitlines(keepends=True)[-1_000:]
            output = "".join(lines).encode()[-(16 << 10) :].decode("utf-8", "replace")
        return Answer(status=200, body={"content": output or None})

    async def _run_of(self, group: Group) -> Run:
        """Check the run; if requested, let the platform restart an ended container."""
        run = await self._backing.look(group.name) if group.begun else Run()
        ended_badly = group.trouble == "restart" and run.finished_at is not None and run.exit_code != 0
        moved = group.trouble == "repairing" and run.started_at is not None
        if group.restarts == 0 and (ended_badly or (moved and group.first is not None)):
            group.first, group.restarts = run, 1
            await self._backing.stop(group.name)
            await self._backing.start(group.inside, self._clock())
            run = await self._backing.look(group.name)
        elif moved and group.restarts == 0:
            group.first = None
        return run

    def _over_limits(self, region: str, body: Any, now: datetime) -> Answer | None:
        limits = self._limits_of(region)
        windows = self._windows(self._creates, region)
        if (wait_s := windows.wait_s(now)) is not None:
            error = Error(
                status=429, code="TooManyRequests", message="creates", retry_after_s=max(1, round(wait_s + 0.5))
            )
            return _error(error)
        spot = body["properties"].get("priority") == "Spot"
        requested = float(body["properties"]["containers"][0]["properties"]["resources"]["requests"]["cpu"])
        here = [group for group in self.groups.values() if group.region == region]
        cores = sum(group.cores for group in here if group.spot == spot)
        cores_max = limits.spot_cores if spot else limits.cores
        name, limit, usage, wanted = "StandardCores", cores_max, cores, requested
        if len(here) + 1 > limits.groups:
            name, limit, usage, wanted = "ContainerGroups", limits.groups, len(here), 1
        elif cores + requested <= cores_max:
            return None
        message = QUOTA.format(
            name=name, region=region, limit=f"{limit:g}", usage=f"{usage:g}", requested=f"{wanted:g}"
        )
        return _error(Error(status=409, code="ContainerGroupQuotaReached", message=message))

    def _usages(self, region: str) -> Answer:
        limits = self._limits_of(region)
        here = [group for group in self.groups.values() if group.region == region]
        rows = (
            ("ContainerGroups", len(here), limits.groups),
            ("StandardCores", sum(group.cores for group in here if not group.spot), limits.cores),
            ("StandardSpotCores", sum(group.cores for group in here if group.spot), limits.spot_cores),
        )
        value = [
            {
                "id": f"/locations/{region}/usages/{name}",
                "unit": "Count",
                "currentValue": int(used),
                "limit": int(limit),
                "name": {"value": name, "localizedValue": name},
            }
            for name, used, limit in rows
        ]
        return Answer(status=200, body={"value": value})

    def _operation(self, operation: str) -> str:
        group = self.groups.get(self._operations.get(operation, ""))
        return "Succeeded" if group is not None and group.begun else "InProgress"

    def _throttled(self, method: str) -> Answer | None:
        limits = self._limits if isinstance(self._limits, Limits) else Limits()
        kind, (size, refill) = {
            "PUT": ("writes", limits.writes),
            "DELETE": ("deletes", limits.deletes),
        }.get(method, ("reads", limits.reads))
        now = self._clock()
        bucket = self._buckets.setdefault(kind, Bucket(size, refill, size, now))
        if bucket.take(now):
            return None
        return _error(Error(status=429, code="TooManyRequests", message=f"too many {kind}", retry_after_s=5))

    def _windows(self, kind: dict[str, Windows], region: str) -> Windows:
        return kind.setdefault(region, Windows(self._limits_of(region)))

    def _limits_of(self, region: str) -> Limits:
        return self._limits if isinstance(self._limits, Limits) else self._limits[region]

    def _strikes(self, switch: str, region: str) -> bool:
        for armed in self._armed:
            if armed.switch == switch and armed.times > 0 and armed.region in (None, region):
                armed.times -= 1
                return True
        return False


def _target(parts: list[str]) -> tuple[str, str]:
    """Take the path apart: what it is about, and the group's name."""
    lower = [part.lower() for part in parts]
    if "containergroups" in lower:
        rest = parts[lower.index("containergroups") + 1 :]
        if not rest:
            return "list", ""
        return ("logs" if rest[-1] == "logs" else "group"), rest[0]
    if lower[-1:] == ["usages"]:
        return "usages", ""
    return "operation", ""


def _mistake(name: str, body: Any) -> str | None:
    properties = body["properties"]
    if len(name) > 63 or not _NAME.fullmatch(name):
        return f"The container group name '{name}' is invalid."
    requests = properties["containers"][0]["properties"]["resources"]["requests"]
    cpu, memory_gb = float(requests["cpu"]), float(requests["memoryInGB"])
    if cpu < 1 or memory_gb < 1 or abs(memory_gb * 10 - round(memory_gb * 10)) > 1e-6:
        return f"The resource request of '{cpu:g}' CPU and '{memory_gb:g}' GB is invalid."
    if properties.get("restartPolicy") != "Never" or properties.get("osType") != "Linux":
        return "The fake expects restart policy Never and Linux."
    if properties.get("priority") == "Spot" and properties.get("subnetIds"):
        return "A spot container group cannot be in a virtual network."
    for variable in properties["containers"][0]["properties"].get("environmentVariables", []):
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_]{0,61}[A-Za-z0-9])?", variable["name"]):
            return f"The environment variable name '{variable['name']}' is invalid."
    return None


def _inside(name: str, container: dict[str, Any]) -> Inside:
    properties = container["properties"]
    variables = properties.get("environmentVariables", [])
    requests = properties["resources"]["requests"]
    return Inside(
        group=name,
        image=properties["image"],
        command=properties.get("command", []),
        env={one["name"]: one["secureValue"] if "secureValue" in one else one["value"] for one in variables},
        cpu=float(requests["cpu"]),
        memory_gb=float(requests["memoryInGB"]),
    )


def _changeable(body: Any) -> Any:
    return body["properties"]["containers"]


def _not_found(name: str) -> Answer:
    message = f"The Resource 'Microsoft.ContainerInstance/containerGroups/{name}' was not found."
    return _error(Error(status=404, code="ResourceNotFound", message=message))


def _error(error: Error, texts: Mapping[str, str] | None = None) -> Answer:
    message = error.message
    for name, text in (texts or {}).items():
        message = message.replace(f"{{{name}}}", text)
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else {}
    return Answer(status=error.status, body={"error": {"code": error.code, "message": message}}, headers=headers)
