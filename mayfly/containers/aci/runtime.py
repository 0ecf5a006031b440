"""Container groups on Azure Container Instances: the adapter of `ContainerRuntime`, and the only user of its SDK.

A group holds one container of the same name, with restart policy Never. No call waits for a long-running operation, and
the SDK retries none: an activity takes seconds, each create is one PUT, and the caller retries after a pause. Below the
SDK, aiohttp repeats a request if a kept connection turns out to be closed; repeating the same PUT is harmless. Secrets
are secure values, which Azure never returns.

Source: azure-mgmt-containerinstance 10.1, REST API 2023-05-01. 10.2 moves the models' fields, so it is not used.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.mgmt.containerinstance import models as m
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient

from mayfly.containers.aci.refusals import classify
from mayfly.containers.aci.status import TROUBLED, GroupEvent, GroupSnapshot, status_of
from mayfly.containers.runtime import (
    Capabilities,
    GroupListing,
    GroupRefused,
    GroupRequest,
    GroupStatus,
    LogTail,
    MetricSample,
    check_group_name,
    end_of_output,
    is_group_name,
)
from mayfly.errors import RuntimeUnavailable
from mayfly.jobs.places import Place, Quota, cores_of, gb_of
from mayfly.jobs.refusal import Refusal

if TYPE_CHECKING:
    from mayfly.containers.aci.metrics import AciMetrics

PUBLIC_CLOUD = "https://management.azure.com"
WORKER_COMMAND = ("python", "-I", "-S", "/opt/mayfly/worker/__main__.py")
"""The entry point of worker/Dockerfile, repeated because a group's command replaces that of the image."""

_JOB, _ATTEMPT, _PLACE, _CREATED = "mayfly-job", "mayfly-attempt", "mayfly-place", "mayfly-created"
_LOG_BYTES_STOPPED = 16 << 10
_LOG_BYTES_RUNNING = 4 << 20
_LOG_LINES_STOPPED = 1_000
"""How much of a container's output Azure keeps. Source: container-instances-resource-and-quota-limits."""

_Response = TypeVar("_Response")


@dataclass(frozen=True, kw_only=True)
class AciOptions:
    """The options that all groups share."""

    subscription: str
    resource_group: str
    worker_image: str
    """The image for jobs that do not name one."""
    endpoint: str = PUBLIC_CLOUD
    worker_identity: str | None = None
    """Resource id of the user-assigned identity that pulls from the registry."""
    subnet: str | None = None
    """Resource id of a subnet delegated to container groups."""
    log_workspace: str | None = None
    log_workspace_key: str | None = field(default=None, repr=False)
    worker_command: Sequence[str] = WORKER_COMMAND


class AciRuntime:
    """See `ContainerRuntime`. One instance serves a process, on one event loop; it keeps its connections open."""

    def __init__(
        self,
        options: AciOptions,
        *,
        credential: Any,
        metrics: AciMetrics | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._options = options
        self._credential = credential
        self._metrics = metrics
        self._clock = clock
        self._opened: Any = None
        # Without this option the SDK sends no token over plain HTTP; only the endpoints of tests are plain.
        self._per_call: dict[str, Any] = {"enforce_https": not options.endpoint.startswith("http://")}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(runs_images=True, enforces_memory=True, enforces_cpu=True, live_metrics=False)

    async def create(self, request: GroupRequest) -> None:
        """See `ContainerRuntime.create`. One PUT.

        Azure treats a PUT on an existing group as a change, so a caller that is unsure inspects first.
        """
        check_group_name(request.group)
        groups = self._client().container_groups
        async with _translated():
            try:
                await groups.begin_create_or_update(
                    self._options.resource_group, request.group, self._model(request), polling=False, **self._per_call
                )
            except AzureError as error:
                refusal = _refusal_of(error)
                if refusal is None:
                    raise
                raise GroupRefused(refusal) from error

    async def inspect(self, group: str, *, place: str) -> GroupStatus | None:  # noqa: ARG002
        """See `ContainerRuntime.inspect`. One GET."""
        if not is_group_name(group):
            return None
        groups = self._client().container_groups
        found = await _found(groups.get(self._options.resource_group, group, **self._per_call))
        return None if found is None else status_of(_snapshot(found), now=self._clock())

    async def logs(self, group: str, *, place: str, bytes_max: int) -> LogTail | None:  # noqa: ARG002
        """See `ContainerRuntime.logs`. One GET."""
        if not is_group_name(group):
            return None
        containers = self._client().containers
        async with _translated():
            try:
                answer = await containers.list_logs(self._options.resource_group, group, group, **self._per_call)
            except ResourceNotFoundError:
                return None
            except HttpResponseError as error:
                if error.status_code not in (400, 409):
                    raise
                return LogTail(text="", truncated=False)  # the container has not started, so it has no output yet
        # The content is null before the first line: a known defect of the SDK.
        return _tail(answer.content or "", bytes_max)

    async def metrics(self, group: str, *, place: str) -> Sequence[MetricSample]:
        """See `ContainerRuntime.metrics`: one sample per minute, a few minutes late; empty if metrics are off."""
        if self._metrics is None or not is_group_name(group):
            return []
        resource_id = (
            f"/subscriptions/{self._options.subscription}/resourceGroups/{self._options.resource_group}"
            f"/providers/Microsoft.ContainerInstance/containerGroups/{group}"
        )
        return await self._metrics.read(resource_id, region=Place(name=place).region)

    async def delete(self, group: str, *, place: str) -> bool:  # noqa: ARG002
        """See `ContainerRuntime.delete`. One DELETE; only 204 confirms that nothing is left."""
        if not is_group_name(group):
            return True
        answers: list[Any] = []
        groups = self._client().container_groups
        deleted = groups.begin_delete(
            self._options.resource_group, group, polling=False, raw_response_hook=answers.append, **self._per_call
        )
        return await _found(deleted) is None or (bool(answers) and answers[-1].http_response.status_code == 204)

    async def list(self) -> Sequence[GroupListing]:
        """See `ContainerRuntime.list`. One GET for each page of groups.

        A list shows whether the creation of a group succeeded, but not the state of its container.
        Source: azure-rest-api-specs #21280, azure-powershell #16139: no `instanceView` in lists.
        """
        groups = self._client().container_groups
        listings = []
        async with _translated():
            async for found in groups.list_by_resource_group(self._options.resource_group, **self._per_call):
                tags = found.tags or {}
                if _JOB in tags and tags.get(_ATTEMPT, "").isdecimal():
                    listing = GroupListing(
                        group=found.name,
                        place=tags.get(_PLACE, found.location),
                        job_id=tags[_JOB],
                        attempt=int(tags[_ATTEMPT]),
                        created_at=_time_in(tags.get(_CREATED)) or self._clock(),
                        troubled=found.provisioning_state in TROUBLED,
                    )
                    listings.append(listing)
        return listings

    async def quota(self, place: Place) -> Quota:
        """Return the subscription's limits in a place, and how much of them is used. Errors: `RuntimeUnavailable`."""
        quota = Quota()
        async with _translated():
            async for usage in self._client().location.list_usage(place.region, **self._per_call):
                name, limit, used = usage.name.value, float(usage.limit), float(usage.current_value)
                # StandardCores; for Spot any name such as StandardSpotCores, and the first one counts.
                counts_cores = name.endswith("Cores") and ("Spot" in name if place.spot else name == "StandardCores")
                if name == "ContainerGroups":
                    quota = replace(quota, groups_max=int(limit), groups_used=int(used))
                elif counts_cores and quota.cores_max is None:
                    quota = replace(quota, cores_max=limit, cores_used=used)
        return quota

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None
        if self._metrics is not None:
            await self._metrics.close()
        await self._credential.close()

    def _client(self) -> Any:
        """Return the client; the first call opens it on the event loop that uses it."""
        if self._opened is None:
            endpoint = self._options.endpoint
            self._opened = ContainerInstanceManagementClient(
                self._credential,
                self._options.subscription,
                base_url=endpoint,
                credential_scopes=[endpoint.rstrip("/") + "/.default"],
                retry_total=0,
                connection_timeout=5,
                read_timeout=30,
            )
        return self._opened

    def _model(self, request: GroupRequest) -> Any:
        options, place = self._options, Place(name=request.place)
        image = request.image or options.worker_image
        command = [*request.command]
        if request.image is None:
            command = [*options.worker_command, *(["--", *command] if command else [])]
        container = m.Container(
            name=request.group,
            image=image,
            command=command,
            environment_variables=[
                *(m.EnvironmentVariable(name=name, value=value) for name, value in request.env.items()),
                *(m.EnvironmentVariable(name=name, secure_value=value) for name, value in request.secure_env.items()),
            ],
            resources=m.ResourceRequirements(
                requests=m.ResourceRequests(cpu=cores_of(request.cpu), memory_in_gb=gb_of(request.memory_gb))
            ),
        )
        tags = {_JOB: request.job_id, _ATTEMPT: str(request.attempt), _PLACE: request.place}
        group = m.ContainerGroup(
            location=place.region,
            tags={**tags, _CREATED: self._clock().isoformat()},
            containers=[container],
            os_type="Linux",
            sku="Standard",
            restart_policy="Never",
            priority="Spot" if place.spot else None,
        )
        registry = image.partition("/")[0]
        if options.worker_identity is not None and ".azurecr." in registry:
            identities = {options.worker_identity: m.UserAssignedIdentities()}
            group.identity = m.ContainerGroupIdentity(type="UserAssigned", user_assigned_identities=identities)
            group.image_registry_credentials = [
                m.ImageRegistryCredential(server=registry, identity=options.worker_identity)
            ]
        if options.subnet is not None and not place.spot:
            group.subnet_ids = [m.ContainerGroupSubnetId(id=options.subnet)]
        if options.log_workspace is not None:
            group.diagnostics = m.ContainerGroupDiagnostics(
                log_analytics=m.LogAnalytics(
                    workspace_id=options.log_workspace, workspace_key=options.log_workspace_key
                )
            )
        return group


async def _found(call: Awaitable[_Response]) -> _Response | None:
    """Return the response; None for 404. Errors: `RuntimeUnavailable` for any other error."""
    async with _translated():
        try:
            return await call
        except ResourceNotFoundError as error:
            if _part(error.error, "code") in ("ResourceGroupNotFound", "SubscriptionNotFound"):
                raise  # a wrong setting must not look like a group that is gone
            return None


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except AzureError as error:
        raise RuntimeUnavailable(_first_line(error)) from error


def _refusal_of(error: AzureError) -> Refusal | None:
    """Return the refusal in a failed create; None: it is unknown whether the create was accepted."""
    if isinstance(error, ClientAuthenticationError) and error.status_code is None:
        message = "the host has no access token for Azure"
        hint = "check the host's managed identity and AZURE_CLIENT_ID, or sign in with az login"
        return Refusal(kind="wait", code="NotSignedIn", message=message, hint=hint)
    if not isinstance(error, HttpResponseError) or error.status_code is None or error.status_code >= 500:
        return None
    retry_after = error.response.headers.get("Retry-After", "") if error.response is not None else ""
    return classify(
        status=error.status_code,
        code=_part(error.error, "code") or "",
        message=_part(error.error, "message") or _first_line(error),
        retry_after_s=float(retry_after) if retry_after.isdecimal() else None,
    )


def _first_line(error: AzureError) -> str:
    """Return the first line of an error, shortened; the SDK appends the whole response to it."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"


def _snapshot(found: Any) -> GroupSnapshot:
    """Return the SDK's model as a snapshot; every part of it may be missing."""
    inside = _part(next(iter(found.containers or []), None), "instance_view")
    current, previous = _part(inside, "current_state"), _part(inside, "previous_state")
    events = [*(_part(found, "instance_view", "events") or ()), *(_part(inside, "events") or ())]
    return GroupSnapshot(
        group=found.name,
        provisioning=found.provisioning_state or "",
        state=_part(found, "instance_view", "state") or "",
        container=_part(current, "state") or "",
        container_detail=_part(current, "detail_status") or "",
        started_at=_part(current, "start_time"),
        exited_at=_part(current, "finish_time"),
        exit_code=_part(current, "exit_code"),
        restarts=_part(inside, "restart_count") or 0,
        previous_exit_code=_part(previous, "exit_code"),
        previous_started_at=_part(previous, "start_time"),
        previous_exited_at=_part(previous, "finish_time"),
        events=tuple(
            GroupEvent(
                name=(event.name or "").rstrip("."),  # some of Azure's names end in a period
                message=event.message or "",
                count=event.count or 1,
                first_at=event.first_timestamp,
                last_at=event.last_timestamp,
            )
            for event in events
        ),
    )


def _part(whole: Any, *names: str) -> Any:
    """Return a part of one of the SDK's models; None if it is missing, or whatever would hold it."""
    for name in names:
        whole = None if whole is None else getattr(whole, name)
    return whole


def _tail(content: str, bytes_max: int) -> LogTail:
    data = content.encode("utf-8", "replace")
    if len(data) > bytes_max:
        return LogTail(text=end_of_output(data[len(data) - bytes_max :]), truncated=True)
    # Azure does not report truncation, so output as large as its limit counts as truncated.
    cut = (
        len(data) >= _LOG_BYTES_RUNNING - 4_096
        or _LOG_BYTES_STOPPED - 512 <= len(data) <= _LOG_BYTES_STOPPED
        or content.count("\n") == _LOG_LINES_STOPPED
    )
    return LogTail(text=content, truncated=cut)


def _time_in(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
