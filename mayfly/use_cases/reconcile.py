"""The reconciler compares the log with the world, and fixes the differences (I1, I5, I10).

- Views: if they are incomplete, because their store is new or was lost, they are rebuilt from the log.
- Orchestrators: every unsettled job must have one. A missing one is started, and resumes from the log.
- Container groups: the log must expect every group that carries Mayfly's tag. Any other is deleted, and if its job is
  known, the log records that it was found. An expected group that is listed as troubled is polled: this notices a bad
  start early, and costs a request only then.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from mayfly.app import Mayfly
from mayfly.containers.runtime import GroupListing
from mayfly.errors import RuntimeUnavailable
from mayfly.jobs.commands import NoteFound
from mayfly.jobs.names import attempt_ended_event
from mayfly.orchestrators import Orchestrators
from mayfly.telemetry.job_context import unbind
from mayfly.use_cases.attempts import observe_attempt
from mayfly.views.projection import rebuild

_QUIET_S = 10.0
"""A job with an event this recent is being worked on; its orchestrator is left to the next pass."""
_BATCH = 500

_logger = logging.getLogger("mayfly.use_cases.reconcile")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """The differences that one pass found and fixed."""

    started: int
    """Missing orchestrators."""
    unknown_deleted: int
    """Groups of jobs or attempts that are not in the log."""
    leaks_found: int
    """Groups that had been confirmed gone."""


GroupVerdict = Literal["expected", "troubled", "unknown", "gone", "leak"]
"""`unknown`: not in the log. `gone`: deleted since it was listed. `leak`: it exists, but was confirmed gone."""


async def reconcile(mayfly: Mayfly, orchestrators: Orchestrators) -> Reconciled:
    """Make one pass over views, container groups and orchestrators. Errors: `TryAgain`; the next pass continues."""
    if not await mayfly.views.complete():
        count = await rebuild(log=mayfly.log, views=mayfly.views)
        if count:  # a new store is incomplete as well, which is not worth a warning
            _logger.warning("the views were incomplete: rebuilt them from %d events", count)
    verdicts: Counter[GroupVerdict] = Counter()
    listings: Sequence[GroupListing] = ()
    try:
        listings = await mayfly.runtime.list()
    except RuntimeUnavailable as error:
        _logger.warning("listing container groups: %s", error)
    for listing in listings:
        try:
            verdict = await _check_group(mayfly, listing)
            if verdict == "troubled":
                await _poll(mayfly, orchestrators, listing)
        except RuntimeUnavailable as error:  # a group that cannot be deleted must not hide the others
            _logger.warning("checking %s: %s", listing.group, error)
            continue
        verdicts[verdict] += 1
    started = await _start_missing(mayfly, orchestrators)
    unbind()
    return Reconciled(started=started, unknown_deleted=verdicts["unknown"], leaks_found=verdicts["leak"])


async def _start_missing(mayfly: Mayfly, orchestrators: Orchestrators) -> int:
    unsettled: list[str] = []
    while batch := await mayfly.views.unsettled(after=unsettled[-1] if unsettled else "", limit=_BATCH):
        unsettled += batch
    started = 0
    for job_id in await orchestrators.missing(unsettled) if unsettled else ():
        job = await mayfly.streams.find(job_id)  # the view may lag: only the log says that a job is open
        if job is None or job.settled or job.updated_at + timedelta(seconds=_QUIET_S) > mayfly.clock.now():
            continue
        _logger.warning("starting the missing orchestrator of %s, which is %s", job_id, job.state)
        await orchestrators.start(job_id)
        started += 1
    return started


async def _check_group(mayfly: Mayfly, listing: GroupListing) -> GroupVerdict:
    """Return the verdict on a group, and delete an unknown one.

    A container's request is in the log before the container is created, so an expected group is never unknown.
    """
    job = await mayfly.streams.find(listing.job_id)
    attempt = job.attempt_numbered(listing.attempt) if job is not None else None
    if job is None or attempt is None or attempt.group != listing.group:
        _logger.warning("deleting %s, which is not in the log", listing.group)
        # If the platform accepts no more deletes for now, the next pass retries.
        if await mayfly.admission.may_delete(listing.place, now=mayfly.clock.now()) is None:
            await mayfly.runtime.delete(listing.group, place=listing.place)
        return "unknown"
    if attempt.container != "gone":
        # Its orchestrator will delete it.
        return "troubled" if listing.troubled and attempt.outcome is None else "expected"
    if await mayfly.runtime.inspect(listing.group, place=listing.place) is None:
        return "gone"  # it was deleted after it was listed
    _logger.warning("deleting %s, which had been confirmed gone", listing.group)
    await mayfly.streams.carry_out(NoteFound(attempt=attempt.number), job)
    return "leak"  # the job is unsettled again: its orchestrator is started and deletes the group


async def _poll(mayfly: Mayfly, orchestrators: Orchestrators, listing: GroupListing) -> None:
    await observe_attempt(mayfly, listing.job_id, troubled=True)
    attempt = (await mayfly.streams.load(listing.job_id)).attempt_numbered(listing.attempt)
    if attempt is not None and attempt.outcome is not None:
        await orchestrators.wake(listing.job_id, attempt_ended_event(listing.attempt))
