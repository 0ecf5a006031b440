"""Classify Azure's refusals to run a container group, by their consequence for the job.

Error codes alone are ambiguous: exceeded quota and missing capacity both arrive as 409 `ServiceUnavailable`. The same
problem may be an HTTP error, or an event of a group that was accepted. So the table matches the words first.

Source: Azure's responses as recorded in public issues and support articles; each row of the tests names its source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mayfly.jobs.refusal import Refusal, RefusalKind

MESSAGE_CHARS_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class _Row:
    kind: RefusalKind
    hint: str
    codes: tuple[str, ...] = ()
    words: str = ""
    """A regular expression; with `codes`, both must match."""
    statuses: tuple[int, ...] = ()

    def matches(self, *, status: int | None, code: str, message: str) -> bool:
        if self.codes and code.rstrip(".").lower() not in [known.lower() for known in self.codes]:
            return False
        if self.words and not re.search(self.words, message, re.IGNORECASE):
            return False
        return not self.statuses or status in self.statuses


_QUOTA = (
    "the subscription's quota in this region is used up; the job starts once other containers end."
    " To run more, request a higher quota for Container Instances, or add a region to MAYFLY_PLACES"
)
_CAPACITY = (
    "the region has no capacity for this size at the moment; Mayfly tries the next place."
    " Add a region to MAYFLY_PLACES, or request less cpu and memory_gb"
)
_REGISTRY = "the registry returned an error; a mirror in Azure Container Registry avoids Docker Hub's limits"
_IMAGE = (
    "check the name and tag of the image, that the containers' network can reach the registry,"
    " and that the worker identity has AcrPull on it (a new role assignment takes a few minutes to apply)"
)
_RIGHTS = (
    "give the host's identity the container group role on the resource group, and Managed Identity Operator on the"
    " worker identity (a new role assignment takes a few minutes to apply)"
)

_TABLE = (
    _Row(codes=("ContainerGroupTransitioning",), kind="retry", hint="wait; the group is changing"),
    _Row(words=r"still transitioning", kind="retry", hint="wait; the group is changing"),
    # Fraud detection sets a limit of 0: waiting does not help, but another place may.
    _Row(
        words=r"quota .*exceeded.*Limit: '0'",
        kind="relocate",
        hint="the subscription has a quota of 0 here; contact Azure support, or remove this place from MAYFLY_PLACES",
    ),
    _Row(words=r"quota .*(exceeded|reached)", kind="wait", hint=_QUOTA),
    _Row(
        codes=("ContainerGroupQuotaReached", "QuotaExceeded", "QuotaReached"),
        kind="wait",
        hint=_QUOTA,
    ),
    _Row(words=r"not available in the location", kind="relocate", hint=_CAPACITY),
    _Row(codes=("InsufficientCapacity", "ResourceOperationFailure"), kind="relocate", hint=_CAPACITY),
    _Row(words=r"insufficient capacity|InsufficientCapacity", kind="relocate", hint=_CAPACITY),
    _Row(
        codes=("LocationNotAvailableForResourceType", "ResourceSkuNotAvailable", "NotAvailableInLocation"),
        kind="relocate",
        hint="this region or size is not offered to the subscription; name other regions in MAYFLY_PLACES",
    ),
    _Row(codes=("RegistryErrorResponse",), kind="retry", hint=_REGISTRY),
    _Row(words=r"toomanyrequests|pull rate limit", kind="retry", hint=_REGISTRY),
    _Row(codes=("InaccessibleImage",), kind="retry", hint=_IMAGE),
    _Row(codes=("ImagePullBackOff", "ErrImagePull", "FailedToPullImage"), kind="permanent", hint=_IMAGE),
    _Row(
        codes=("OsVersionNotSupported",),
        kind="permanent",
        hint="use a Linux image for amd64; no other system is supported",
    ),
    _Row(
        codes=("MissingSubscriptionRegistration",),
        kind="permanent",
        hint="run: az provider register -n Microsoft.ContainerInstance",
    ),
    _Row(
        codes=("ResourceGroupNotFound", "SubscriptionNotFound"),
        kind="permanent",
        hint="check MAYFLY_SUBSCRIPTION and MAYFLY_RESOURCE_GROUP",
    ),
    _Row(codes=("ReadOnlyDisabledSubscription",), kind="permanent", hint="the subscription is disabled"),
    _Row(
        codes=("TooManyRequests", "OperationNotAllowed", "SubscriptionRequestsThrottled"),
        statuses=(429,),
        kind="wait",
        hint="Azure allows 100 creates in 5 minutes and 300 in an hour per region; the job starts in turn",
    ),
    _Row(statuses=(429,), kind="wait", hint="Azure limits the rate of requests; the job starts in turn"),
    _Row(
        codes=("Repairing", "Unhealthy"),
        kind="retry",
        hint="the platform is moving the group; Mayfly deletes it and creates another",
    ),
    _Row(
        codes=("ProvisioningFailed", "Failed"),
        kind="retry",
        hint="the platform gave no reason; Mayfly deletes the group and creates another",
    ),
    _Row(
        codes=("RequestDisallowedByPolicy",),
        kind="permanent",
        hint="an Azure policy forbids it; contact the owner of the policy",
    ),
    _Row(codes=("AuthorizationFailed", "LinkedAuthorizationFailed"), kind="retry", hint=_RIGHTS),
    _Row(statuses=(401, 403), kind="retry", hint=_RIGHTS),
    _Row(
        statuses=(413,),
        kind="permanent",
        hint="command and environment are too large: pass a reference to the data",
    ),
    _Row(statuses=(400, 404, 405, 422), kind="permanent", hint="fix what the message names, and submit the job again"),
    _Row(statuses=(409,), kind="retry", hint="the group is being changed by another request; Mayfly retries"),
    _Row(statuses=(500, 502, 503, 504), kind="retry", hint="Azure had an internal error; Mayfly retries"),
)
_UNKNOWN = _Row(kind="retry", hint="Mayfly does not know this error; it retries up to five times")


def classify(*, status: int | None, code: str, message: str, retry_after_s: float | None = None) -> Refusal:
    """Return the refusal that a response means.

    Shapes: an event of an accepted group has no `status`; its `code` is the name of the event.
    Units: `retry_after_s` is the delay that the platform requests; None: it requests none.

    >>> classify(status=409, code="ServiceUnavailable", message="... container group quota 'StandardCores' exceeded "
    ...          "in region 'eastus'. Limit: '10', Usage: '10' Requested: '1'.").kind
    'wait'
    >>> classify(status=409, code="ServiceUnavailable", message="The requested resource is not available in the "
    ...          "location 'westus' at this moment.").kind
    'relocate'
    """
    row = next((row for row in _TABLE if row.matches(status=status, code=code, message=message)), _UNKNOWN)
    return Refusal(
        kind=row.kind,
        code=code.rstrip(".") or f"HTTP {status}",
        message=message[:MESSAGE_CHARS_MAX],
        hint=row.hint,
        retry_after_s=retry_after_s,
    )
