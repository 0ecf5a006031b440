"""The contract of every `JobStats`, whatever its store, for jobs that were saved as views.

An adapter joins with a subclass whose name begins with `Test` and one method:

    class TestSqlite(JobStatsContract):
        def open(self, folder: Path) -> tuple[JobViews, JobStats]: ...
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES
from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.views.job_views import JobViews
from mayfly.views.stats import LIST_MAX, JobStats
from tests.contracts.job_views import job
from tests.mayfly.jobs.histories import live
from tests.mayfly.jobs.samples import T0, job_id_numbered
from tests.sampling import seeded, seeds


def life(drawn: random.Random, number: int) -> list[Job]:
    """Return a job at every position of a random history."""
    spec = JobSpec(message="hi", retry=RetryPolicy(max_attempts=3, backoff_s=0))
    jobs = live(spec, [drawn.getrandbits(32) for _ in range(60)]).jobs
    return [replace(one, job_id=job_id_numbered(number)) for one in {one.position: one for one in jobs}.values()]


class JobStatsContract:
    def open(self, folder: Path) -> tuple[JobViews, JobStats]:
        """Return empty views and their stats."""
        raise NotImplementedError

    @pytest.fixture
    def opened(self, tmp_path: Path, runner: asyncio.Runner) -> Iterator[tuple[JobViews, JobStats]]:
        views, job_stats = self.open(tmp_path)
        yield views, job_stats
        runner.run(job_stats.close())
        runner.run(views.close())

    def test_empty_views_have_empty_stats(self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner) -> None:
        _, job_stats = opened
        assert list(runner.run(job_stats.submitted("hour"))) == []
        assert runner.run(job_stats.attention("held")) == (0, [])
        assert list(runner.run(job_stats.attempts(limit=10))) == []
        assert runner.run(job_stats.positions(["ada-abcdefghij"])) == {}
        assert runner.run(job_stats.projected()) == 0

    def test_jobs_are_counted_in_the_span_of_their_submission_and_their_latest_state(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, job_stats = opened
        runner.run(views.save([job(1), job(2, after_s=59), job(3, after_s=60), job(4, after_s=86_400)]))
        runner.run(views.save([job(1, state="running", position=2)]))
        found = [(b.begun_at, b.state, b.jobs) for b in runner.run(job_stats.submitted("minute"))]
        minute, day = timedelta(minutes=1), timedelta(days=1)
        assert found == [
            (T0, "queued", 1),
            (T0, "running", 1),
            (T0 + minute, "queued", 1),
            (T0 + day, "queued", 1),
        ]
        days = [(b.begun_at, b.jobs) for b in runner.run(job_stats.submitted("day")) if b.state == "queued"]
        assert days == [(T0.replace(hour=0), 2), (T0.replace(hour=0) + day, 1)]

    def test_since_includes_the_span_that_contains_it(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, job_stats = opened
        runner.run(views.save([job(1), job(2, after_s=3_600), job(3, after_s=7_200)]))
        since = T0 + timedelta(seconds=5_000)
        assert [b.begun_at for b in runner.run(job_stats.submitted("hour", since=since))] == [
            T0 + timedelta(hours=1),
            T0 + timedelta(hours=2),
        ]

    def test_archived_jobs_are_counted_only_on_request(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, job_stats = opened
        runner.run(views.save([job(1, state="failed"), job(2, state="failed")]))
        runner.run(views.save([job(1, state="failed", position=2, archived=True)]))
        assert sum(b.jobs for b in runner.run(job_stats.submitted("day"))) == 1
        assert sum(b.jobs for b in runner.run(job_stats.submitted("day", archived=True))) == 2

    def test_a_view_that_is_saved_again_or_late_counts_once(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, job_stats = opened
        newer = job(1, state="running", position=3)
        runner.run(views.save([job(1), newer, newer]))
        runner.run(views.save([newer]))
        runner.run(views.save([job(1, state="starting", position=2)]))
        assert [(b.state, b.jobs) for b in runner.run(job_stats.submitted("day"))] == [("running", 1)]
        assert runner.run(job_stats.projected()) == 3
        assert runner.run(job_stats.positions([newer.job_id])) == {newer.job_id: 3}

    def test_held_jobs_are_listed_until_they_continue(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, job_stats = opened
        held = [
            replace(job(n), held_reason="full", held_until=T0, updated_at=T0 - timedelta(seconds=n)) for n in (1, 2)
        ]
        runner.run(views.save(held))
        assert runner.run(job_stats.attention("held")) == (2, [held[1].job_id, held[0].job_id])
        runner.run(views.save([job(1, state="starting", position=2)]))
        assert runner.run(job_stats.attention("held")) == (1, [held[1].job_id])

    def test_the_list_of_held_jobs_is_limited_and_their_count_is_not(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, job_stats = opened
        runner.run(views.save([replace(job(n), held_reason="full") for n in range(LIST_MAX + 5)]))
        count, listed = runner.run(job_stats.attention("held"))
        assert (count, len(listed)) == (LIST_MAX + 5, LIST_MAX)

    @seeded
    @pytest.mark.parametrize("seed", seeds(4))
    def test_the_stats_equal_counts_over_the_views(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner, seed: int
    ) -> None:
        """Histories of every kind, saved position by position in any order; some positions are left out."""
        views, job_stats = opened
        drawn = random.Random(seed)
        last: dict[str, Job] = {}
        saves: list[Job] = []
        for number in range(12):
            states = life(drawn, number)
            kept = [one for one in states if drawn.random() < 0.7] or [states[-1]]
            saves += kept
            last[kept[0].job_id] = max(kept, key=lambda one: one.position)
        drawn.shuffle(saves)
        for start in range(0, len(saves), 5):
            runner.run(views.save(saves[start : start + 5]))
        jobs = list(last.values())
        counted = Counter(one.state for one in jobs)
        found = Counter(dict.fromkeys(STATES, 0))
        for bucket in runner.run(job_stats.submitted("day", archived=True)):
            found[bucket.state] += bucket.jobs
        assert +found == +counted
        assert runner.run(job_stats.projected()) == sum(one.position for one in jobs)
        lingering = {one.job_id for one in jobs if one.lingering}
        assert set(runner.run(job_stats.attention("lingering"))[1]) == lingering
        held = {one.job_id for one in jobs if one.state == "queued" and one.held_reason}
        assert set(runner.run(job_stats.attention("held"))[1]) == held
        ended = sorted((a.ended_at for one in jobs if one.settled for a in one.attempts if a.ended_at), reverse=True)
        assert [a.ended_at for a in runner.run(job_stats.attempts(limit=1_000))] == ended

    def test_the_latest_attempts_come_first_up_to_the_limit(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, job_stats = opened
        drawn = random.Random(1)
        settled = [one for n in range(40) if (one := life(drawn, n)[-1]).settled and one.attempts]
        runner.run(views.save(settled))
        found = list(runner.run(job_stats.attempts(limit=5)))
        everything = sorted((a.ended_at for one in settled for a in one.attempts if a.ended_at), reverse=True)
        assert [a.ended_at for a in found] == everything[:5]
        assert all(length >= 0 for a in found for length in a.seconds.values())
