"""The reconciler: what the log says and what there is, held against each other (I1, I5, I10).

Views that are not complete, because their store is new or was lost, are made again from the log.

One side: every job that is not settled must have a living orchestrator; one that has none is started, and finds out
from the log where it stands. The other side: every container group with our tag must be wanted by the log; one that
is not is deleted, and when its job is known, the log says that it was found. One that is wanted and shown in trouble is
looked at, which costs a request only then: the list that is made anyway is how a bad start is noticed soon.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

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
"""A job whose stream moved this recently is being worked on; starting its orchestrator is left to the next pass."""
_BATCH = 500

_logger = logging.getLogger("mayfly.use_cases.reconcile")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What one pass found and mended."""

    started: int
    """Orchestrators that were missing."""
    unknown_deleted: int
    """Groups of jobs or attempts that the log does not know."""
    leaks_found: int
    """Groups that the log had as gone."""


async def reconcile(mayfly: Mayfly, orchestrators: Orchestrators) -> Reconciled:
    """Make one pass over both sides.

    Errors: `TryAgain`; the next pass goes on.
    """
    if not await mayfly.views.complete():
        count = await rebuild(log=mayfly.log, views=mayfly.views)
        if count:  # a new store is not complete either, and that is no news
            _logger.warning("the views were not complete: they were made again from %d events", count)
    unknown = leaks = 0
    listings: Sequence[GroupListing] = ()
    try:
        listings = await mayfly.runtime.list()
    except RuntimeUnavailable as error:
        _logger.warning("listing container groups: %s", error)
    for listing in listings:
        try:
            verdict = await _check_group(mayfly, listing)
            if verdict == "doubtful":
                await _look_into(mayfly, orchestrators, listing)
        except RuntimeUnavailable as error:  # one group that cannot be deleted must not hide the others
            _logger.warning("checking %s: %s", listing.group, error)
            continue
        unknown += verdict == "unknown"
        leaks += verdict == "leak"
    started = await _start_missing(mayfly, orchestrators)
    unbind()
    return Reconciled(started=started, unknown_deleted=unknown, leaks_found=leaks)


async def _start_missing(mayfly: Mayfly, orchestrators: Orchestrators) -> int:
    unsettled: list[str] = []
    while batch := await mayfly.views.unsettled(after=unsettled[-1] if unsettled else "", limit=_BATCH):
        unsettled += batch
    started = 0
    for job_id in await orchestrators.missing(unsettled) if unsettled else ():
        job = await mayfly.streams.find(job_id)  # the view may lag: only the log says that a job is open
        if job is None or job.settled or job.updated_at + timedelta(seconds=_QUIET_S) > mayfly.clock.now():
            continue
        _logger.warning("starting the orchestrator of %s, which is %s and has none", job_id, job.state)
        await orchestrators.start(job_id)
        started += 1
    return started


async def _check_group(mayfly: Mayfly, listing: GroupListing) -> str:
    """Return `wanted`, `doubtful`, `unknown`, `gone` or `leak`, and have a group deleted that is not wanted.

    The request of a container is in the log before the container is asked for, so there is no moment at which a
    wanted group is unknown.
    """
    job = await mayfly.streams.find(listing.job_id)
    attempt = job.attempt_numbered(listing.attempt) if job is not None else None
    if job is None or attempt is None or attempt.group != listing.group:
        _logger.warning("deleting %s, which the log does not know", listing.group)
        # Where the platform's rate of deletes is used up, the next pass asks again.
        if await mayfly.admission.may_delete(listing.place, now=mayfly.clock.now()) is None:
            await mayfly.runtime.delete(listing.group, place=listing.place)
        return "unknown"
    if attempt.container != "gone":
        # Its orchestrator deletes it when its time has come.
        return "doubtful" if listing.troubled and attempt.outcome is None else "wanted"
    if await mayfly.runtime.inspect(listing.group, place=listing.place) is None:
        return "gone"  # it was deleted as it should, after the list was made
    _logger.warning("deleting %s, which had been seen gone", listing.group)
    await mayfly.streams.carry_out(NoteFound(attempt=attempt.number), job)
    return "leak"  # the job is unsettled again, so its orchestrator is started and deletes it


async def _look_into(mayfly: Mayfly, orchestrators: Orchestrators, listing: GroupListing) -> None:
    """Look at a container that the list shows in trouble, long before its orchestrator would."""
    await observe_attempt(mayfly, listing.job_id, doubted=True)
    attempt = (await mayfly.streams.load(listing.job_id)).attempt_numbered(listing.attempt)
    if attempt is not None and attempt.outcome is not None:
        await orchestrators.wake(listing.job_id, attempt_ended_event(listing.attempt))
