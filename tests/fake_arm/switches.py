"""Switches for the failures of a group: every one that Azure documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Switch = Literal[
    "transitioning",
    "quota",
    "capacity",
    "capacity_later",
    "inaccessible_image",
    "registry_error",
    "pull_back_off",
    "failed_but_there",
    "repairing",
    "restart",
    "delete_ignored",
    "delete_transitioning",
    "throttled",
    "server_error",
    "server_error_everywhere",
    "connection_lost",
    "forbidden",
    "os_version",
]

QUOTA = (
    "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota '{name}' exceeded in region"
    " '{region}'. Limit: '{limit}', Usage: '{usage}' Requested: '{requested}'."
)


@dataclass(frozen=True, kw_only=True)
class Error:
    status: int
    code: str
    message: str
    retry_after_s: int | None = None


ON_CREATE: Mapping[str, Error] = {
    "transitioning": Error(
        status=409,
        code="ContainerGroupTransitioning",
        message="The container group '{group}' is still transitioning, please retry later.",
    ),
    "quota": Error(
        status=409,
        code="ServiceUnavailable",
        message=QUOTA.format(name="StandardCores", region="{region}", limit=10, usage=10, requested=1),
    ),
    "capacity": Error(
        status=409,
        code="ServiceUnavailable",
        message="The requested resource is not available in the location '{region}' at this moment. Please retry with"
        " a different resource request or in another location. Resource requested: '1' CPU '1.5' GB memory 'Linux' OS",
    ),
    "inaccessible_image": Error(
        status=400,
        code="InaccessibleImage",
        message="The image '{image}' in container group '{group}' is not accessible. Please check the image and"
        " registry credential.",
    ),
    "registry_error": Error(
        status=409,
        code="RegistryErrorResponse",
        message="An error response is received from the docker registry 'index.docker.io'. Please retry later.",
    ),
    "throttled": Error(status=429, code="TooManyRequests", message="The request is being throttled.", retry_after_s=17),
    "server_error": Error(status=503, code="ServiceUnavailable", message="The service is unavailable."),
    "forbidden": Error(
        status=403,
        code="AuthorizationFailed",
        message="The client does not have authorization to perform action"
        " 'Microsoft.ContainerInstance/containerGroups/write'.",
    ),
    "os_version": Error(
        status=400,
        code="OsVersionNotSupported",
        message="The OS version of image '{image}' is not supported.",
    ),
}
"""Switches that refuse a PUT, and with what; the code, status and words are those seen in public reports."""
