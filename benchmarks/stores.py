"""The stores alone: appends, folds, and lists, at growing sizes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import decide, submit
from mayfly.jobs.events import Event
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.names import job_id_for
from mayfly.jobs.spec import JobSpec
from mayfly.log.sqlite.event_log import SqliteEventLog
from mayfly.views.job_views import JobFilter
from mayfly.views.sqlite.job_views import SqliteJobViews

_START = datetime(2026, 1, 1, tzinfo=UTC)


def a_job(number: int) -> list[Event]:
    """Return the whole stream of a job that ran and ended; every tenth job is still running."""
    now = _START + timedelta(seconds=number)
    job_id = job_id_for(seed=str(number).encode())
    spec = JobSpec(message=f"job {number}", labels={"team": f"t{number % 20}", "kind": "benchmark"})
    stream = [*submit(c.SubmitJob(job_id=job_id, spec=spec, source="http"), now).events]
    job = fold(stream)
    claim = f"{number:032x}"
    commands: list[c.Command] = [c.RequestContainer(place="local"), c.ClaimAttempt(attempt=1, claim=claim)]
    if number % 10:
        commands += [
            c.ReportWork(
                attempt=1, claim=claim, body=e.WorkerSucceeded(result={"n": number}, exit_code=0, output_tail="done\n")
            ),
            c.RequestDelete(attempt=1, log_text="done\n"),
            c.ConfirmGone(attempt=1),
        ]
    for command in commands:
        assert job is not None
        events = decide(job, command, now).events
        stream += events
        job = fold(events, job)
    return stream


def appends(count: int) -> dict[str, Any]:
    """Append single events, one after another and 64 at a time."""

    async def measure() -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="mayfly-bench-") as folder:
            log = SqliteEventLog(Path(folder) / "log.db")
            first = [a_job(number)[:1] for number in range(count * 2)]
            began = time.monotonic()
            for stream in first[:count]:
                await log.append(stream, expected_position=0)
            one_by_one = count / (time.monotonic() - began)
            began = time.monotonic()
            for start in range(count, count * 2, 64):
                batch = first[start : start + 64]
                await asyncio.gather(*(log.append(stream, expected_position=0) for stream in batch))
            together = count / (time.monotonic() - began)
            await log.close()
            return {"appends_per_s_one_by_one": one_by_one, "appends_per_s_64_at_once": together}

    return asyncio.run(measure())


def reads(jobs: int) -> dict[str, Any]:
    """Fill log and views with jobs, then measure a fold, pages of 50 jobs, and the counts."""

    async def measure() -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="mayfly-bench-") as folder:
            log = SqliteEventLog(Path(folder) / "log.db")
            views = SqliteJobViews(Path(folder) / "views.db")
            some = await _fill(log, views, jobs)
            figures = await _timed_reads(log, views, some)
            await log.close()
            await views.close()
            return {"jobs": jobs, **figures}

    return asyncio.run(measure())


async def _fill(log: SqliteEventLog, views: SqliteJobViews, jobs: int) -> Sequence[str]:
    ids: list[str] = []
    for start in range(0, jobs, 500):
        streams = [a_job(number) for number in range(start, min(start + 500, jobs))]
        await asyncio.gather(*(log.append(stream, expected_position=0) for stream in streams))
        folded = [job for stream in streams if (job := fold(stream)) is not None]
        await views.save(folded)
        ids += [job.job_id for job in folded[:5]]
    return ids


async def _timed_reads(log: SqliteEventLog, views: SqliteJobViews, some: Sequence[str]) -> dict[str, Any]:
    async def fold_one(number: int) -> Job | None:
        return fold(await log.read(some[number % len(some)]))

    middle = (await views.page(JobFilter(), limit=200)).cursor
    pages = {
        "page_50_newest": (JobFilter(), None),
        "page_50_by_cursor": (JobFilter(), middle),
        "page_50_running": (JobFilter(states=frozenset({"running"})), None),
        "page_50_failed_none": (JobFilter(states=frozenset({"failed"})), None),
        "page_50_by_label": (JobFilter(labels={"team": "t3"}), None),
        "page_50_by_name": (JobFilter(name_contains="ada"), None),
    }
    result = {"fold_ms": await _milliseconds(fold_one)}
    for name, (job_filter, cursor) in pages.items():

        async def page(_: int, job_filter: JobFilter = job_filter, cursor: str | None = cursor) -> object:
            return await views.page(job_filter, limit=50, cursor=cursor)

        result[f"{name}_ms"] = await _milliseconds(page)

    async def count(_: int) -> object:
        return await views.count_by_state()

    result["counts_ms"] = await _milliseconds(count)
    await log.close()
    await views.close()
    return result


async def _milliseconds(action: Any, *, times: int = 50) -> float:
    """Return the median duration of an action."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        await action(number)
        taken.append((time.perf_counter() - began) * 1_000)
    return sorted(taken)[times // 2]
