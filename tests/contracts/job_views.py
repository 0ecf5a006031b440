"""What every `JobViews` must do, wherever it keeps them.

An adapter joins with a subclass whose name begins with `Test` and one method:

    class TestSqlite(JobViewsContract):
        def open(self) -> JobViews: return SqliteJobViews(":memory:")
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from mayfly.jobs import events as e
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job
from mayfly.jobs.lifecycle import STATES, JobState
from mayfly.jobs.spec import JobSpec
from mayfly.views.job_views import PAGE_MAX, JobFilter, JobViews
from tests.mayfly.jobs.samples import T0, event, job_id_numbered, opening
from tests.sampling import seeded, seeds


def job(
    number: int = 0,
    *,
    state: JobState = "queued",
    labels: dict[str, str] | None = None,
    position: int = 1,
    after_s: float = 0,
    archived: bool = False,
) -> Job:
    """Return a job as a view would be given it."""
    spec = JobSpec(message="hi", labels=labels or {})
    folded = fold([opening(job_id_numbered(number), spec=spec, after_s=after_s)])
    assert folded is not None
    return replace(folded, state=state, position=position, archived=archived)


class JobViewsContract:
    def open(self) -> JobViews:
        """Return views that are empty."""
        raise NotImplementedError

    @pytest.fixture
    def views(self, runner: asyncio.Runner) -> Iterator[JobViews]:
        views = self.open()
        yield views
        runner.run(views.close())

    def listed(self, views: JobViews, runner: asyncio.Runner, **conditions: object) -> list[str]:
        page = runner.run(views.page(JobFilter(**conditions), limit=PAGE_MAX))  # type: ignore[arg-type]
        return [each.job_id for each in page.jobs]

    def test_a_saved_job_reads_back_equal(self, views: JobViews, runner: asyncio.Runner) -> None:
        body = e.WorkerSucceeded(result={"é": [1.5, None, "\x00"]}, exit_code=0, output_tail="out")
        saved = replace(job(1, labels={"team": "blü"}), result=body.result, output="out\n")
        runner.run(views.save([saved]))
        assert runner.run(views.get_many([saved.job_id])) == {saved.job_id: saved}
        assert runner.run(views.page(JobFilter(), limit=1)).jobs == [saved]

    def test_a_job_that_is_not_there_is_left_out(self, views: JobViews, runner: asyncio.Runner) -> None:
        runner.run(views.save([job(1)]))
        found = runner.run(views.get_many([job_id_numbered(1), job_id_numbered(2)]))
        assert set(found) == {job_id_numbered(1)}
        assert runner.run(views.get_many([])) == {}

    @pytest.mark.parametrize(("position", "state"), [(3, "running"), (4, "running"), (5, "succeeded")])
    def test_only_a_later_position_is_kept(
        self, views: JobViews, runner: asyncio.Runner, position: int, state: str
    ) -> None:
        runner.run(views.save([job(1, position=4, state="running")]))
        runner.run(views.save([job(1, position=position, state="succeeded")]))
        kept = runner.run(views.get_many([job_id_numbered(1)]))[job_id_numbered(1)]
        assert (kept.position, kept.state) == (max(4, position), state)
        assert self.listed(views, runner, states=frozenset({state})) == [job_id_numbered(1)]

    def test_one_save_may_hold_a_job_twice(self, views: JobViews, runner: asyncio.Runner) -> None:
        runner.run(views.save([job(1, position=2), job(1, position=1)]))
        assert runner.run(views.get_many([job_id_numbered(1)]))[job_id_numbered(1)].position == 2

    def test_the_list_is_newest_first_and_equal_times_descend_by_id(
        self, views: JobViews, runner: asyncio.Runner
    ) -> None:
        jobs = [job(1, after_s=5), job(2, after_s=0.5), job(3, after_s=9), job(4, after_s=5), job(5, after_s=5.000001)]
        runner.run(views.save(jobs))
        assert self.listed(views, runner) == [job_id_numbered(number) for number in (3, 5, 4, 1, 2)]

    def test_the_archived_are_listed_only_when_asked_for(self, views: JobViews, runner: asyncio.Runner) -> None:
        runner.run(views.save([job(1, archived=True, state="failed"), job(2)]))
        assert self.listed(views, runner) == [job_id_numbered(2)]
        assert self.listed(views, runner, archived=True) == [job_id_numbered(2), job_id_numbered(1)]

    @pytest.mark.parametrize(
        ("states", "numbers"),
        [(("queued",), [1]), (("failed", "running"), [3, 2]), (("canceled",), []), ((), [])],
        ids=str,
    )
    def test_the_list_is_filtered_by_any_of_the_states(
        self, views: JobViews, runner: asyncio.Runner, states: tuple[JobState, ...], numbers: list[int]
    ) -> None:
        runner.run(views.save([job(1), job(2, state="running"), job(3, state="failed")]))
        assert self.listed(views, runner, states=frozenset(states)) == [job_id_numbered(n) for n in numbers]

    @pytest.mark.parametrize(
        ("labels", "numbers"),
        [
            ({"team": "blue"}, [3, 1]),
            ({"team": "blue", "size": "big"}, [3]),
            ({"team": "blue", "size": "small"}, []),
            ({"team": "Blue"}, []),
            ({"team": "' OR ''='"}, []),
            ({"tea": "blue"}, []),
            ({"empty": ""}, [2]),
            ({}, [3, 2, 1]),
        ],
        ids=str,
    )
    def test_the_list_is_filtered_by_all_of_the_labels(
        self, views: JobViews, runner: asyncio.Runner, labels: dict[str, str], numbers: list[int]
    ) -> None:
        runner.run(
            views.save(
                [
                    job(1, labels={"team": "blue"}),
                    job(2, labels={"team": "red", "empty": ""}),
                    job(3, labels={"team": "blue", "size": "big"}),
                ]
            )
        )
        assert self.listed(views, runner, labels=labels) == [job_id_numbered(n) for n in numbers]

    def test_the_list_is_filtered_by_part_of_the_id(self, views: JobViews, runner: asyncio.Runner) -> None:
        runner.run(views.save([job(1), job(33)]))
        assert self.listed(views, runner, name_contains="aabb") == [job_id_numbered(33)]
        assert self.listed(views, runner, name_contains="a%b") == []
        assert self.listed(views, runner, name_contains="_") == []

    def test_the_list_is_filtered_by_time_and_the_ends_are_left_out(
        self, views: JobViews, runner: asyncio.Runner
    ) -> None:
        runner.run(views.save([job(number, after_s=number) for number in range(5)]))
        after, before = T0 + timedelta(seconds=1), T0 + timedelta(seconds=4)
        found = self.listed(views, runner, submitted_after=after, submitted_before=before)
        assert found == [job_id_numbered(3), job_id_numbered(2)]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
    def test_pages_together_are_the_whole_list(self, views: JobViews, runner: asyncio.Runner, limit: int) -> None:
        runner.run(views.save([job(number, after_s=number // 3) for number in range(20)]))
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = runner.run(views.page(JobFilter(), limit=limit, cursor=cursor))
            assert 1 <= len(page.jobs) <= limit
            found += [each.job_id for each in page.jobs]
            cursor = page.cursor
            if cursor is None:
                break
        assert found == self.listed(views, runner)
        assert len(found) == 20

    def test_jobs_that_come_while_paging_are_neither_lost_nor_shown_twice(
        self, views: JobViews, runner: asyncio.Runner
    ) -> None:
        old = [job(number, after_s=number // 2) for number in range(10)]
        runner.run(views.save(old))
        expected = self.listed(views, runner)
        found: list[str] = []
        cursor: str | None = None
        for newer in range(100, 200):
            page = runner.run(views.page(JobFilter(), limit=3, cursor=cursor))
            found += [each.job_id for each in page.jobs]
            cursor = page.cursor
            if cursor is None:
                break
            runner.run(views.save([job(newer, after_s=newer)]))
            runner.run(views.save([job(0, position=newer, state="running")]))
        assert found == expected

    def test_a_page_never_exceeds_the_largest(self, views: JobViews, runner: asyncio.Runner) -> None:
        runner.run(views.save([job(number) for number in range(PAGE_MAX + 1)]))
        page = runner.run(views.page(JobFilter(), limit=10 * PAGE_MAX))
        assert len(page.jobs) == PAGE_MAX
        assert page.cursor is not None

    @pytest.mark.parametrize("cursor", ["", "hello", "é", "e30", "MjAyNg"])
    def test_a_cursor_that_no_page_gave_out_is_refused(
        self, views: JobViews, runner: asyncio.Runner, cursor: str
    ) -> None:
        with pytest.raises(ValueError, match="must be a cursor that an earlier page returned"):
            runner.run(views.page(JobFilter(), limit=1, cursor=cursor))

    def test_every_state_is_counted_and_the_archived_are_not(self, views: JobViews, runner: asyncio.Runner) -> None:
        assert runner.run(views.count_by_state()) == dict.fromkeys(STATES, 0)
        runner.run(
            views.save(
                [
                    job(1),
                    job(2),
                    job(3, state="running"),
                    job(4, state="failed", archived=True),
                    job(5, state="failed"),
                ]
            )
        )
        counted = runner.run(views.count_by_state())
        assert counted == {**dict.fromkeys(STATES, 0), "queued": 2, "running": 1, "failed": 1}

    def test_unsettled_are_the_open_and_those_whose_container_may_be_there(
        self, views: JobViews, runner: asyncio.Runner
    ) -> None:
        requested = e.ContainerRequested(
            group="g", place="local", image=None, cpu=1, memory_gb=1, start_deadline=T0 + timedelta(hours=1)
        )
        stream = [
            event(e.JobSubmitted(spec=JobSpec(message="")), 1, job_id=job_id_numbered(1)),
            event(requested, 2, job_id=job_id_numbered(1), attempt=1),
            event(e.JobCanceled(), 3, job_id=job_id_numbered(1), attempt=1),
        ]
        lingering = fold(stream)
        gone = fold([event(e.ContainerGone(group="g"), 4, job_id=job_id_numbered(1), attempt=1)], lingering)
        assert lingering is not None
        assert gone is not None
        runner.run(views.save([job(3), lingering, job(2, state="succeeded")]))
        assert list(runner.run(views.unsettled())) == [job_id_numbered(1), job_id_numbered(3)]
        runner.run(views.save([gone]))
        assert list(runner.run(views.unsettled())) == [job_id_numbered(3)]

    def test_unsettled_goes_on_after_an_id_and_stops_at_the_limit(
        self, views: JobViews, runner: asyncio.Runner
    ) -> None:
        ids = sorted(job_id_numbered(number) for number in range(10))
        runner.run(views.save([job(number) for number in range(10)]))
        assert list(runner.run(views.unsettled(limit=4))) == ids[:4]
        assert list(runner.run(views.unsettled(after=ids[3], limit=4))) == ids[4:8]
        assert list(runner.run(views.unsettled(after=ids[9]))) == []

    def test_clear_forgets_everything_and_lets_older_positions_in_again(
        self, views: JobViews, runner: asyncio.Runner
    ) -> None:
        runner.run(views.save([job(1, position=9, labels={"team": "blue"})]))
        runner.run(views.clear())
        assert self.listed(views, runner, archived=True) == []
        assert self.listed(views, runner, labels={"team": "blue"}) == []
        runner.run(views.save([job(1, position=2)]))
        assert runner.run(views.get_many([job_id_numbered(1)]))[job_id_numbered(1)].position == 2

    def test_views_are_complete_only_after_somebody_said_so_and_until_they_are_cleared(
        self, views: JobViews, runner: asyncio.Runner
    ) -> None:
        assert not runner.run(views.complete())
        runner.run(views.save([job(1)]))
        assert not runner.run(views.complete())
        runner.run(views.note_complete())
        assert runner.run(views.complete())
        runner.run(views.save([job(2)]))
        assert runner.run(views.complete())
        runner.run(views.clear())
        assert not runner.run(views.complete())

    @seeded
    @pytest.mark.parametrize("seed", seeds(4))
    def test_a_random_run_answers_as_a_plain_list_does(self, runner: asyncio.Runner, seed: int) -> None:
        chance = random.Random(seed)
        views = self.open()
        model: dict[str, Job] = {}
        for _ in range(25):
            batch = [_random_job(chance) for _ in range(chance.randrange(1, 5))]
            runner.run(views.save(batch))
            for each in batch:
                if each.job_id not in model or model[each.job_id].position < each.position:
                    model[each.job_id] = each
            job_filter = _random_filter(chance)
            expected = _plainly(list(model.values()), job_filter)
            limit = chance.choice((1, 3, 200))
            page = runner.run(views.page(job_filter, limit=limit))
            assert list(page.jobs) == expected[:limit]
            assert (page.cursor is None) == (len(expected) <= limit)
            if page.cursor is not None:
                rest = runner.run(views.page(job_filter, limit=PAGE_MAX, cursor=page.cursor))
                assert list(rest.jobs) == expected[limit:]
            shown = [each for each in model.values() if not each.archived]
            counts = {state: sum(each.state == state for each in shown) for state in STATES}
            assert runner.run(views.count_by_state()) == counts
            unsettled = sorted(each.job_id for each in model.values() if not each.settled)
            assert list(runner.run(views.unsettled())) == unsettled
        runner.run(views.close())


def _random_job(chance: random.Random) -> Job:
    number = chance.randrange(12)
    return job(
        number,
        state=chance.choice(STATES),
        labels={"team": ("blue", "red")[number % 2], "n": str(number % 3)},
        position=chance.randrange(1, 20),
        after_s=number // 3,
        archived=chance.random() < 0.2,
    )


def _random_filter(chance: random.Random) -> JobFilter:
    def maybe(value: object) -> object:
        return value if chance.random() < 0.3 else None

    return JobFilter(
        states=maybe(frozenset(chance.sample(STATES, 3))),  # type: ignore[arg-type]
        labels=maybe({"team": "blue"}) or maybe({"team": "red", "n": "1"}) or {},  # type: ignore[arg-type]
        name_contains=maybe("b"),  # type: ignore[arg-type]
        submitted_after=maybe(T0 + timedelta(seconds=1)),  # type: ignore[arg-type]
        submitted_before=maybe(T0 + timedelta(seconds=3)),  # type: ignore[arg-type]
        archived=chance.random() < 0.3,
    )


def _plainly(jobs: Sequence[Job], wanted: JobFilter) -> list[Job]:
    """Filter and sort as the port's words say, in the plainest way."""
    found = [
        each
        for each in jobs
        if (wanted.archived or not each.archived)
        and (wanted.states is None or each.state in wanted.states)
        and all(each.spec.labels.get(name) == value for name, value in wanted.labels.items())
        and (wanted.name_contains is None or wanted.name_contains in each.job_id)
        and (wanted.submitted_after is None or each.submitted_at > wanted.submitted_after)
        and (wanted.submitted_before is None or each.submitted_at < wanted.submitted_before)
    ]
    return sorted(found, key=lambda each: (each.submitted_at, each.job_id), reverse=True)
