"""What every `JobStats` must tell, wherever it keeps them, about jobs that were saved as views.

An adapter joins with a subclass whose name begins with `Test` and one method:

    class TestSqlite(FiguresContract):
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
    """Return a job at every position of a life that was drawn."""
    spec = JobSpec(message="hi", retry=RetryPolicy(max_attempts=3, backoff_s=0))
    jobs = live(spec, [drawn.getrandbits(32) for _ in range(60)]).jobs
    return [replace(one, job_id=job_id_numbered(number)) for one in {one.position: one for one in jobs}.values()]


class FiguresContract:
    def open(self, folder: Path) -> tuple[JobViews, JobStats]:
        """Return views that are empty, and the figures beside them."""
        raise NotImplementedError

    @pytest.fixture
    def opened(self, tmp_path: Path, runner: asyncio.Runner) -> Iterator[tuple[JobViews, JobStats]]:
        views, figures = self.open(tmp_path)
        yield views, figures
        runner.run(figures.close())
        runner.run(views.close())

    def test_nothing_is_told_of_nothing(self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner) -> None:
        _, figures = opened
        assert list(runner.run(figures.submitted("hour"))) == []
        assert runner.run(figures.attention("held")) == (0, [])
        assert list(runner.run(figures.attempts(limit=10))) == []
        assert runner.run(figures.positions(["ada-abcdefghij"])) == {}
        assert runner.run(figures.projected()) == 0

    def test_jobs_are_counted_in_the_span_of_their_submission_and_their_latest_state(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, figures = opened
        runner.run(views.save([job(1), job(2, after_s=59), job(3, after_s=60), job(4, after_s=86_400)]))
        runner.run(views.save([job(1, state="running", position=2)]))
        told = [(b.begun_at, b.state, b.jobs) for b in runner.run(figures.submitted("minute"))]
        minute, day = timedelta(minutes=1), timedelta(days=1)
        assert told == [
            (T0, "queued", 1),
            (T0, "running", 1),
            (T0 + minute, "queued", 1),
            (T0 + day, "queued", 1),
        ]
        days = [(b.begun_at, b.jobs) for b in runner.run(figures.submitted("day")) if b.state == "queued"]
        assert days == [(T0.replace(hour=0), 2), (T0.replace(hour=0) + day, 1)]

    def test_since_includes_the_span_that_it_falls_into(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, figures = opened
        runner.run(views.save([job(1), job(2, after_s=3_600), job(3, after_s=7_200)]))
        since = T0 + timedelta(seconds=5_000)
        assert [b.begun_at for b in runner.run(figures.submitted("hour", since=since))] == [
            T0 + timedelta(hours=1),
            T0 + timedelta(hours=2),
        ]

    def test_archived_jobs_are_counted_only_when_asked_for(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, figures = opened
        runner.run(views.save([job(1, state="failed"), job(2, state="failed")]))
        runner.run(views.save([job(1, state="failed", position=2, archived=True)]))
        assert sum(b.jobs for b in runner.run(figures.submitted("day"))) == 1
        assert sum(b.jobs for b in runner.run(figures.submitted("day", archived=True))) == 2

    def test_a_view_that_is_saved_again_or_late_counts_once(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, figures = opened
        newer = job(1, state="running", position=3)
        runner.run(views.save([job(1), newer, newer]))
        runner.run(views.save([newer]))
        runner.run(views.save([job(1, state="starting", position=2)]))
        assert [(b.state, b.jobs) for b in runner.run(figures.submitted("day"))] == [("running", 1)]
        assert runner.run(figures.projected()) == 3
        assert runner.run(figures.positions([newer.job_id])) == {newer.job_id: 3}

    def test_held_jobs_are_listed_until_they_go_on(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, figures = opened
        held = [
            replace(job(n), held_reason="full", held_until=T0, updated_at=T0 - timedelta(seconds=n)) for n in (1, 2)
        ]
        runner.run(views.save(held))
        assert runner.run(figures.attention("held")) == (2, [held[1].job_id, held[0].job_id])
        runner.run(views.save([job(1, state="starting", position=2)]))
        assert runner.run(figures.attention("held")) == (1, [held[1].job_id])

    def test_the_list_of_held_jobs_has_an_end_and_their_count_has_none(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, figures = opened
        runner.run(views.save([replace(job(n), held_reason="full") for n in range(LIST_MAX + 5)]))
        count, listed = runner.run(figures.attention("held"))
        assert (count, len(listed)) == (LIST_MAX + 5, LIST_MAX)

    @seeded
    @pytest.mark.parametrize("seed", seeds(4))
    def test_figures_equal_what_counting_the_views_gives(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner, seed: int
    ) -> None:
        """Lives of every kind, saved position by position in any order, some left out."""
        views, figures = opened
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
        told = Counter(dict.fromkeys(STATES, 0))
        for bucket in runner.run(figures.submitted("day", archived=True)):
            told[bucket.state] += bucket.jobs
        assert +told == +counted
        assert runner.run(figures.projected()) == sum(one.position for one in jobs)
        lingering = {one.job_id for one in jobs if one.lingering}
        assert set(runner.run(figures.attention("lingering"))[1]) == lingering
        held = {one.job_id for one in jobs if one.state == "queued" and one.held_reason}
        assert set(runner.run(figures.attention("held"))[1]) == held
        ended = sorted((a.ended_at for one in jobs if one.settled for a in one.attempts if a.ended_at), reverse=True)
        assert [a.ended_at for a in runner.run(figures.attempts(limit=1_000))] == ended

    def test_the_latest_attempts_come_first_and_no_more_than_asked_for(
        self, opened: tuple[JobViews, JobStats], runner: asyncio.Runner
    ) -> None:
        views, figures = opened
        drawn = random.Random(1)
        settled = [one for n in range(40) if (one := life(drawn, n)[-1]).settled and one.attempts]
        runner.run(views.save(settled))
        told = list(runner.run(figures.attempts(limit=5)))
        everything = sorted((a.ended_at for one in settled for a in one.attempts if a.ended_at), reverse=True)
        assert [a.ended_at for a in told] == everything[:5]
        assert all(length >= 0 for a in told for length in a.seconds.values())
