"""The classifier: what Azure says when it will not run a container group, and what that means for the job.

Codes alone do not tell: quota and missing capacity both come as 409 `ServiceUnavailable`, and the same trouble is an
HTTP error at one time and an event of a group that was accepted at another. So the table reads the words first.

Source: Azure's answers as recorded in public issues and support articles; each row of the tests names its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mayfly.jobs.refusal import Refusal, RefusalKind

MESSAGE_CHARS_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class _Row:
    refusal: RefusalKind
    hint: str
    codes: tuple[str, ...] = ()
    words: str = ""
    """A regular expression; with `codes` too, both must fit."""
    statuses: tuple[int, ...] = ()

    def fits(self, *, status: int | None, code: str, message: str) -> bool:
        if self.codes and code.rstrip(".").lower() not in [known.lower() for known in self.codes]:
            return False
        if self.words and not re.search(self.words, message, re.IGNORECASE):
            return False
        return not self.statuses or status in self.statuses


_QUOTA = (
    "the subscription's quota in this region is used up; the job starts when other containers end."
    " For more, ask for a higher quota of Container Instances, or add a region to MAYFLY_PLACES"
)
_CAPACITY = (
    "the region has no capacity for this size now; Mayfly tries the next place."
    " Add a region to MAYFLY_PLACES, or ask for less cpu and memory_gb"
)
_REGISTRY = "the registry did not answer well; a mirror in Azure Container Registry avoids Docker Hub's limits"
_IMAGE = (
    "check the image's name and tag, that the registry can be reached from the containers' network,"
    " and that the worker identity has AcrPull on it (a new role takes some minutes to spread)"
)
_RIGHTS = (
    "give the host's identity the container group role on the resource group, and Managed Identity Operator on the"
    " worker identity (a new role takes some minutes to spread)"
)

_TABLE = (
    _Row(codes=("ContainerGroupTransitioning",), refusal="retry", hint="wait; the group is changing"),
    _Row(words=r"still transitioning", refusal="retry", hint="wait; the group is changing"),
    # Fraud detection shows a limit of 0: waiting does not help there, another place may.
    _Row(
        words=r"quota .*exceeded.*Limit: '0'",
        refusal="relocate",
        hint="the subscription may use nothing of this kind here; ask Azure's support, or leave out this place",
    ),
    _Row(words=r"quota .*(exceeded|reached)", refusal="wait", hint=_QUOTA),
    _Row(
        codes=("ContainerGroupQuotaReached", "QuotaExceeded", "QuotaReached"),
        refusal="wait",
        hint=_QUOTA,
    ),
    _Row(words=r"not available in the location", refusal="relocate", hint=_CAPACITY),
    _Row(codes=("InsufficientCapacity", "ResourceOperationFailure"), refusal="relocate", hint=_CAPACITY),
    _Row(words=r"insufficient capacity|InsufficientCapacity", refusal="relocate", hint=_CAPACITY),
    _Row(
        codes=("LocationNotAvailableForResourceType", "ResourceSkuNotAvailable", "NotAvailableInLocation"),
        refusal="relocate",
        hint="this region or size is not offered to the subscription; name other regions in MAYFLY_PLACES",
    ),
    _Row(codes=("RegistryErrorResponse",), refusal="retry", hint=_REGISTRY),
    _Row(words=r"toomanyrequests|pull rate limit", refusal="retry", hint=_REGISTRY),
    _Row(codes=("InaccessibleImage",), refusal="retry", hint=_IMAGE),
    _Row(codes=("ImagePullBackOff", "ErrImagePull", "FailedToPullImage"), refusal="permanent", hint=_IMAGE),
    _Row(
        codes=("OsVersionNotSupported",),
        refusal="permanent",
        hint="use a Linux image for amd64; other systems are not run",
    ),
    _Row(
        codes=("MissingSubscriptionRegistration",),
        refusal="permanent",
        hint="run: az provider register -n Microsoft.ContainerInstance",
    ),
    _Row(
        codes=("ResourceGroupNotFound", "SubscriptionNotFound"),
        refusal="permanent",
        hint="check MAYFLY_SUBSCRIPTION and MAYFLY_RESOURCE_GROUP",
    ),
    _Row(codes=("ReadOnlyDisabledSubscription",), refusal="permanent", hint="the subscription is disabled"),
    _Row(
        codes=("TooManyRequests", "OperationNotAllowed", "SubscriptionRequestsThrottled"),
        statuses=(429,),
        refusal="wait",
        hint="Azure counts 100 creates in 5 minutes and 300 in an hour for a region; the job starts in turn",
    ),
    _Row(statuses=(429,), refusal="wait", hint="Azure asks for fewer requests; the job starts in turn"),
    _Row(
        codes=("Repairing", "Unhealthy"),
        refusal="retry",
        hint="the platform is moving the group; Mayfly deletes it and asks for another",
    ),
    _Row(
        codes=("ProvisioningFailed", "Failed"),
        refusal="retry",
        hint="the platform gave no reason; Mayfly deletes the group and asks for another",
    ),
    _Row(codes=("RequestDisallowedByPolicy",), refusal="permanent", hint="an Azure policy forbids it; ask its owner"),
    _Row(codes=("AuthorizationFailed", "LinkedAuthorizationFailed"), refusal="retry", hint=_RIGHTS),
    _Row(statuses=(401, 403), refusal="retry", hint=_RIGHTS),
    _Row(
        statuses=(413,),
        refusal="permanent",
        hint="command and environment are too large: pass a reference to the data",
    ),
    _Row(statuses=(400, 404, 405, 422), refusal="permanent", hint="change what the message names, and submit again"),
    _Row(statuses=(409,), refusal="retry", hint="something else is changing the group; Mayfly asks again"),
    _Row(statuses=(500, 502, 503, 504), refusal="retry", hint="Azure had an error of its own; Mayfly asks again"),
)
_UNKNOWN = _Row(refusal="retry", hint="this answer is not known to Mayfly; it asks again, five times at most")


def classify(*, status: int | None, code: str, message: str, retry_after_s: float | None = None) -> Refusal:
    """Say what an answer means.

    Shapes: `status` is None for what a group that had been accepted shows later, whose `code` is an event's name.
    Units: `retry_after_s` is what the platform names; None: it names no time.

    >>> classify(status=409, code="ServiceUnavailable", message="... container group quota 'StandardCores' exceeded "
    ...          "in region 'eastus'. Limit: '10', Usage: '10' Requested: '1'.").kind
    'wait'
    >>> classify(status=409, code="ServiceUnavailable", message="The requested resource is not available in the "
    ...          "location 'westus' at this moment.").kind
    'relocate'
    """
    row = next((row for row in _TABLE if row.fits(status=status, code=code, message=message)), _UNKNOWN)
    return Refusal(
        kind=row.refusal,
        code=code.rstrip(".") or f"HTTP {status}",
        message=message[:MESSAGE_CHARS_MAX],
        hint=row.hint,
        retry_after_s=retry_after_s,
    )
