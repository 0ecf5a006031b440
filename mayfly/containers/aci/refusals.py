"""Classify Azure's refusals to run a container group, by their consequence for the job.

Error codes alone are ambiguous: exceeded quota and missing capacity both arrive as 409 `ServiceUnavailable`. The same
problem may be an HTTP error, or an event of a group that was accepted. So a row matches by its codes or by its words,
and the first row that matches counts: the specific ones come before those that match a status alone.

Source: Azure's responses as recorded in public issues and support articles; each row of the tests names its source.
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass

from mayfly.jobs.refusal import Refusal, RefusalKind

MESSAGE_CHARS_MAX = 1_000


@dataclass(frozen=True)
class _Row:
    kind: RefusalKind
    hint: str
    _: KW_ONLY
    codes: tuple[str, ...] = ()
    words: str = ""
    """A regular expression; with `codes`, either may match."""
    statuses: tuple[int, ...] = ()
    """With `codes` or `words`, both must match."""

    def matches(self, *, status: int | None, code: str, message: str) -> bool:
        if self.statuses and status not in self.statuses:
            return False
        coded = code.rstrip(".").lower() in (known.lower() for known in self.codes)
        worded = bool(self.words) and re.search(self.words, message, re.IGNORECASE) is not None
        return coded or worded or not (self.codes or self.words)


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
    _Row("retry", "wait; the group is changing", codes=("ContainerGroupTransitioning",), words="still transitioning"),
    # Fraud detection sets a limit of 0: waiting does not help, but another place may.
    _Row(
        "relocate",
        "the subscription has a quota of 0 here; contact Azure support, or remove this place from MAYFLY_PLACES",
        words=r"quota .*exceeded.*Limit: '0'",
    ),
    _Row(
        "wait",
        _QUOTA,
        codes=("ContainerGroupQuotaReached", "QuotaExceeded", "QuotaReached"),
        words=r"quota .*(exceeded|reached)",
    ),
    _Row(
        "relocate",
        _CAPACITY,
        codes=("InsufficientCapacity", "ResourceOperationFailure"),
        words="not available in the location|insufficient ?capacity",
    ),
    _Row(
        "relocate",
        "this region or size is not offered to the subscription; name other regions in MAYFLY_PLACES",
        codes=("LocationNotAvailableForResourceType", "ResourceSkuNotAvailable", "NotAvailableInLocation"),
    ),
    _Row("retry", _REGISTRY, codes=("RegistryErrorResponse",), words="toomanyrequests|pull rate limit"),
    _Row("retry", _IMAGE, codes=("InaccessibleImage",)),
    _Row("permanent", _IMAGE, codes=("ImagePullBackOff", "ErrImagePull", "FailedToPullImage")),
    _Row("permanent", "use a Linux image for amd64; no other system is supported", codes=("OsVersionNotSupported",)),
    _Row(
        "permanent",
        "run: az provider register -n Microsoft.ContainerInstance",
        codes=("MissingSubscriptionRegistration",),
    ),
    _Row(
        "permanent",
        "check MAYFLY_SUBSCRIPTION and MAYFLY_RESOURCE_GROUP",
        codes=("ResourceGroupNotFound", "SubscriptionNotFound"),
    ),
    _Row("permanent", "the subscription is disabled", codes=("ReadOnlyDisabledSubscription",)),
    _Row(
        "wait",
        "Azure allows 100 creates in 5 minutes and 300 in an hour per region; the job starts in turn",
        codes=("TooManyRequests", "OperationNotAllowed", "SubscriptionRequestsThrottled"),
        statuses=(429,),
    ),
    _Row("wait", "Azure limits the rate of requests; the job starts in turn", statuses=(429,)),
    _Row(
        "retry",
        "the platform is moving the group; Mayfly deletes it and creates another",
        codes=("Repairing", "Unhealthy"),
    ),
    _Row(
        "retry",
        "the platform gave no reason; Mayfly deletes the group and creates another",
        codes=("ProvisioningFailed", "Failed"),
    ),
    _Row(
        "permanent", "an Azure policy forbids it; contact the owner of the policy", codes=("RequestDisallowedByPolicy",)
    ),
    _Row("retry", _RIGHTS, codes=("AuthorizationFailed", "LinkedAuthorizationFailed")),
    _Row("retry", _RIGHTS, statuses=(401, 403)),
    _Row("permanent", "command and environment are too large: pass a reference to the data", statuses=(413,)),
    _Row("permanent", "fix what the message names, and submit the job again", statuses=(400, 404, 405, 422)),
    _Row("retry", "the group is being changed by another request; Mayfly retries", statuses=(409,)),
    _Row("retry", "Azure had an internal error; Mayfly retries", statuses=(500, 502, 503, 504)),
)
_UNKNOWN = _Row("retry", "Mayfly does not know this error; it retries up to five times")


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
