"""A free container runtime, so that a benchmark measures only Mayfly.

It creates no containers. Over a local socket, it reports each create and delete to the load generator. That runs in a
separate process and acts as the worker over HTTP.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from typing import Any

from mayfly.containers.runtime import Capabilities, GroupListing, GroupRequest, GroupStatus, LogTail, MetricSample


class FreeRuntime:
    """`ContainerRuntime` without containers."""

    capabilities = Capabilities(runs_images=True, enforces_memory=True, enforces_cpu=True, live_metrics=True)

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(address)
        self._groups: dict[str, GroupStatus] = {}

    async def create(self, request: GroupRequest) -> None:
        """See `ContainerRuntime.create`."""
        if request.group in self._groups:
            return
        self._groups[request.group] = GroupStatus(
            group=request.group, phase="running", deleting=False, exit_code=None, started_at=None, exited_at=None
        )
        self._send(
            event="created",
            job_id=request.job_id,
            url=request.env["MAYFLY_REPORT_URL"],
            token=request.secure_env["MAYFLY_REPORT_TOKEN"],
        )

    async def inspect(self, group: str, *, place: str) -> GroupStatus | None:  # noqa: ARG002
        """See `ContainerRuntime.inspect`."""
        return self._groups.get(group)

    async def logs(self, group: str, *, place: str, bytes_max: int) -> LogTail | None:  # noqa: ARG002
        """See `ContainerRuntime.logs`."""
        return LogTail(text="done\n", truncated=False) if group in self._groups else None

    async def metrics(self, group: str, *, place: str) -> Sequence[MetricSample]:  # noqa: ARG002
        """See `ContainerRuntime.metrics`."""
        return ()

    async def delete(self, group: str, *, place: str) -> bool:  # noqa: ARG002
        """See `ContainerRuntime.delete`."""
        self._groups.pop(group, None)
        self._send(event="deleted", group=group, at=time.monotonic())
        return True

    async def list(self) -> Sequence[GroupListing]:
        """See `ContainerRuntime.list`."""
        return ()

    def _send(self, **message: Any) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")
