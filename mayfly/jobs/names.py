"""Names of jobs, container groups and external events.

A job id is the job's own name or a friendly one, followed by ten characters that make it unique. A group's name
contains the job id, the attempt and the place, so it is unique per attempt and region and easy to trace.
"""

from __future__ import annotations

import base64
import hashlib
import re

FRIENDLY_NAMES = ("ada", "alan", "barbara", "edsger", "frances", "grace", "katherine", "leslie", "margaret", "tony")
"""Ten first names, as in the sample `aci-event-driven-worker-queue`."""

CANCEL_EVENT = "cancel-requested"

_JOB_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*-[a-z2-7]{10}")


def job_id_for(*, seed: bytes, name: str | None = None) -> str:
    """Derive a job id from random bytes or from an idempotency key; the same seed gives the same id.

    >>> job_id_for(seed=b"order-17")
    'frances-vehkhwullx'
    >>> job_id_for(seed=b"order-17", name="resize")
    'resize-vehkhwullx'
    """
    digest = hashlib.sha256(seed).digest()
    friendly = name or FRIENDLY_NAMES[digest[0] % len(FRIENDLY_NAMES)]
    return f"{friendly}-{base64.b32encode(digest[1:9]).decode().lower()[:10]}"


def is_job_id(text: str) -> bool:
    """Say whether a text has the form of a job id.

    >>> is_job_id("ada-abcdefghij"), is_job_id("../etc/passwd")
    (True, False)
    """
    return len(text) <= 35 and _JOB_ID.fullmatch(text) is not None


def group_name(job_id: str, *, attempt: int, place: str) -> str:
    """Name the container group of one attempt in one place.

    Source: container-instances-troubleshooting: 1 to 63 lower-case letters, digits and single inner hyphens.

    >>> group_name("ada-abcdefghij", attempt=2, place="local")
    'ada-abcdefghij-2-local'
    """
    return f"{job_id}-{attempt}-{place}"


def attempt_ended_event(attempt: int) -> str:
    """Name the external event that wakes the orchestrator when an attempt ends.

    Each attempt has its own name because the SDK keeps one slot per name and never clears it.

    >>> attempt_ended_event(3)
    'attempt-3-ended'
    """
    return f"attempt-{attempt}-ended"
