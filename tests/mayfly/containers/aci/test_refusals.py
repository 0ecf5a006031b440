"""The classifier, row by row: each code and message with its source, and its consequence for the job."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from mayfly.containers.aci.refusals import classify
from mayfly.jobs.refusal import RefusalKind


class Seen(NamedTuple):
    """One answer of Azure, the public report that shows it, the class, and a word of the hint."""

    status: int | None
    code: str
    message: str
    refusal: RefusalKind
    hint: str


def quota(name: str, limit: str, code: str, status: int | None = 409) -> Seen:
    message = (
        f"Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota '{name}' exceeded in"
        f" region 'eastus'. Limit: '{limit}', Usage: '{limit}' Requested: '1'."
    )
    return Seen(status, code, message, "relocate" if limit == "0" else "wait", "subscription")


NOT_AVAILABLE = (
    "The requested resource is not available in the location 'westus' at this moment. Please retry with a different"
    " resource request or in another location. Resource requested: '4' CPU '16' GB memory 'Linux' OS virtual network"
)
SEEN = {
    "transitioning (data-safe-haven #2641)": Seen(
        409,
        "ContainerGroupTransitioning",
        "The container group 'a' is still transitioning, please retry later.",
        "retry",
        "wait",
    ),
    "transitioning, known by the words alone": Seen(409, "Conflict", "'a' is still transitioning", "retry", "wait"),
    "transitioning, known by the code alone": Seen(409, "CONTAINERGROUPTRANSITIONING", "", "retry", "wait"),
    "quota (azure-docs #51738)": quota("StandardCores", "10", "ServiceUnavailable"),
    "quota under its own code": quota("StandardCores", "10", "ContainerGroupQuotaReached"),
    "quota of groups": quota("ContainerGroups", "100", "ContainerGroupQuotaReached"),
    "quota of spot cores (support: spot-container-group-quota-reached)": quota(
        "StandardSpotCores", "4", "QuotaReached"
    ),
    "quota shown as 0 (support: quota-exceeded, fraud detection)": quota("StandardCores", "0", "ServiceUnavailable"),
    "quota, by the code alone": Seen(409, "ContainerGroupQuotaReached", "", "wait", "quota"),
    "capacity, at once (virtual-kubelet #592)": Seen(
        409, "ServiceUnavailable", NOT_AVAILABLE, "relocate", "MAYFLY_PLACES"
    ),
    "capacity, later (Azure-Landing-Zones #2404)": Seen(
        None, "InsufficientCapacity.", "Insufficient capacity", "relocate", "MAYFLY_PLACES"
    ),
    "capacity, as an operation's failure (Azure-Landing-Zones #2489)": Seen(
        None, "ResourceOperationFailure", "The resource operation completed with 'Failed'", "relocate", "next place"
    ),
    "a region that is not offered": Seen(
        409, "LocationNotAvailableForResourceType", "not available", "relocate", "regions"
    ),
    "inaccessible image (azure-cli #18596)": Seen(
        400,
        "InaccessibleImage",
        "The image 'x' in container group 'a' is not accessible. Please check the image and registry credential.",
        "retry",
        "AcrPull",
    ),
    "registry in trouble (Azure-Landing-Zones #2259)": Seen(
        409,
        "RegistryErrorResponse",
        "An error response is received from the docker registry 'index.docker.io'. Please retry later.",
        "retry",
        "Docker Hub",
    ),
    "registry that limits pulls": Seen(
        None, "ImagePullBackOff", "toomanyrequests: You have reached your pull rate limit.", "retry", "Docker Hub"
    ),
    "pull back-off": Seen(None, "ImagePullBackOff", 'Failed to pull image "x": NotFound', "permanent", "tag"),
    "system of the image": Seen(400, "OsVersionNotSupported", "not supported", "permanent", "Linux"),
    "invalid parameter": Seen(400, "InvalidParameter", "cpu is invalid", "permanent", "fix"),
    "invalid name, by the status alone": Seen(400, "", "bad request", "permanent", "fix"),
    "too large (terraform-provider-azurerm #23481)": Seen(
        413, "", "Request Entity Too Large", "permanent", "reference"
    ),
    "creates used up": Seen(429, "TooManyRequests", "The request is being throttled.", "wait", "100 creates"),
    "throttled by the resource manager": Seen(
        429, "SubscriptionRequestsThrottled", "Number of 'write' requests exceeded", "wait", "in turn"
    ),
    "throttled without a code": Seen(429, "", "slow down", "wait", "rate of requests"),
    "500": Seen(500, "InternalServerError", "An error occurred.", "retry", "retries"),
    "503": Seen(503, "ServiceUnavailable", "The service is unavailable.", "retry", "retries"),
    "no right to write": Seen(403, "AuthorizationFailed", "no authorization to write", "retry", "role"),
    "no right to assign the identity": Seen(
        403, "LinkedAuthorizationFailed", "no authorization to assign", "retry", "Managed Identity Operator"
    ),
    "forbidden by policy": Seen(403, "RequestDisallowedByPolicy", "disallowed by policy", "permanent", "policy"),
    "provider not registered": Seen(
        409, "MissingSubscriptionRegistration", "not registered", "permanent", "az provider register"
    ),
    "no such resource group": Seen(404, "ResourceGroupNotFound", "not found", "permanent", "MAYFLY_RESOURCE_GROUP"),
    "failed without a reason (azure-docs #71458)": Seen(None, "ProvisioningFailed", "", "retry", "no reason"),
    "being moved": Seen(None, "Repairing", "", "retry", "moving"),
    "unhealthy": Seen(None, "Unhealthy", "", "retry", "moving"),
    "another change is under way": Seen(409, "Conflict", "conflict", "retry", "retries"),
    "never heard of": Seen(None, "SomethingNew", "", "retry", "does not know"),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_response_of_azure_is_classified_with_a_hint(name: str) -> None:
    seen = SEEN[name]
    told = classify(status=seen.status, code=seen.code, message=seen.message)
    assert told.kind == seen.refusal
    assert seen.hint in told.hint
    assert told.code == (seen.code.rstrip(".") or f"HTTP {seen.status}")
    assert told.message == seen.message


def test_the_retry_time_of_azure_is_returned_and_no_other() -> None:
    assert classify(status=429, code="TooManyRequests", message="", retry_after_s=17).retry_after_s == 17
    assert classify(status=409, code="ContainerGroupQuotaReached", message="").retry_after_s is None


def test_a_long_message_of_azure_is_shortened() -> None:
    assert len(classify(status=400, code="X", message="x" * 5_000).message) == 1_000
