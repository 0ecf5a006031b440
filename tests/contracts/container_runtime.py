"""What every `ContainerRuntime` must do, whatever it runs on.

An adapter joins with a subclass whose name begins with `Test`, a `runtime` fixture, and two ways to describe work:

    class TestProcesses(ContainerRuntimeContract):
        @pytest.fixture
        def runtime(self, tmp_path): ...
        def ends(self, group, *, exit_code, output): return a request whose container prints `output` and exits so
        def stays(self, group): return a request whose container runs until it is deleted
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mayfly.containers.runtime import ContainerRuntime, GroupRefused, GroupRequest, GroupStatus
from tests.waiting import HANG_GUARD_S

SECRET = "s3cr3t-of-the-contract"


class ContainerRuntimeContract:
    place = "local"

    @pytest.fixture
    def runtime(self) -> ContainerRuntime:
        raise NotImplementedError

    def ends(self, group: str, *, exit_code: int, output: str) -> GroupRequest:
        raise NotImplementedError

    def stays(self, group: str) -> GroupRequest:
        raise NotImplementedError

    async def seen(
        self, runtime: ContainerRuntime, group: str, wanted: Callable[[GroupStatus | None], bool]
    ) -> GroupStatus | None:
        """Look until the status is as wanted, and return it."""
        async with asyncio.timeout(HANG_GUARD_S):
            while not wanted(status := await runtime.inspect(group, place=self.place)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return status

    async def ended(self, runtime: ContainerRuntime, group: str) -> GroupStatus:
        status = await self.seen(runtime, group, lambda status: status is not None and status.phase == "exited")
        assert status is not None
        return status

    async def gone(self, runtime: ContainerRuntime, group: str) -> None:
        await self.seen(runtime, group, lambda status: status is None)

    @pytest.mark.parametrize("exit_code", [0, 3])
    def test_a_group_runs_and_its_exit_code_is_seen(
        self, runtime: ContainerRuntime, runner: asyncio.Runner, exit_code: int
    ) -> None:
        async def story() -> None:
            before = datetime.now(UTC) - timedelta(seconds=2)
            await runtime.create(self.ends("job-1", exit_code=exit_code, output="done"))
            status = await self.ended(runtime, "job-1")
            assert (status.group, status.exit_code, status.deleting) == ("job-1", exit_code, False)
            assert status.started_at is not None
            assert status.exited_at is not None
            assert before < status.started_at <= status.exited_at < datetime.now(UTC) + timedelta(seconds=2)

        runner.run(story())

    def test_a_group_that_runs_has_no_exit_code_yet(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        async def story() -> None:
            await runtime.create(self.stays("job-1"))
            status = await self.seen(runtime, "job-1", lambda status: status is not None and status.phase == "running")
            assert status is not None
            assert (status.exit_code, status.exited_at) == (None, None)
            assert status.started_at is not None

        runner.run(story())

    def test_create_again_changes_nothing(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        async def story() -> None:
            request = self.ends("job-1", exit_code=0, output="printed once\n")
            await runtime.create(request)
            await runtime.create(request)
            await self.ended(runtime, "job-1")
            await runtime.create(request)
            await self.ended(runtime, "job-1")
            assert len(await runtime.list()) == 1
            tail = await runtime.logs("job-1", place=self.place, bytes_max=1_000)
            assert tail is not None
            assert tail.text.count("printed once") == 1

        runner.run(story())

    def test_a_group_that_never_was_is_gone(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        async def story() -> None:
            assert await runtime.inspect("job-1", place=self.place) is None
            assert await runtime.logs("job-1", place=self.place, bytes_max=100) is None
            assert list(await runtime.metrics("job-1", place=self.place)) == []
            assert list(await runtime.list()) == []
            await runtime.delete("job-1", place=self.place)

        runner.run(story())

    def test_a_deleted_group_is_gone_for_every_question(
        self, runtime: ContainerRuntime, runner: asyncio.Runner
    ) -> None:
        async def story() -> None:
            await runtime.create(self.stays("job-1"))
            await self.seen(runtime, "job-1", lambda status: status is not None and status.phase == "running")
            await runtime.delete("job-1", place=self.place)
            await runtime.delete("job-1", place=self.place)
            await self.gone(runtime, "job-1")
            assert await runtime.logs("job-1", place=self.place, bytes_max=100) is None
            assert list(await runtime.metrics("job-1", place=self.place)) == []
            assert list(await runtime.list()) == []

        runner.run(story())

    def test_an_ended_group_stays_until_it_is_deleted(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        async def story() -> None:
            await runtime.create(self.ends("job-1", exit_code=0, output=""))
            await self.ended(runtime, "job-1")
            assert [listing.group for listing in await runtime.list()] == ["job-1"]
            await runtime.delete("job-1", place=self.place)
            await self.gone(runtime, "job-1")

        runner.run(story())

    def test_the_list_says_whose_each_group_is(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        async def story() -> None:
            before = datetime.now(UTC) - timedelta(seconds=2)
            first = self.ends("job-1-1", exit_code=0, output="")
            second = replace(self.stays("job-2-7"), job_id="job-2", attempt=7)
            await runtime.create(first)
            await runtime.create(second)
            found = {listing.group: listing for listing in await runtime.list()}
            assert set(found) == {"job-1-1", "job-2-7"}
            assert (found["job-2-7"].job_id, found["job-2-7"].attempt) == ("job-2", 7)
            assert found["job-1-1"].job_id == first.job_id
            assert {listing.place for listing in found.values()} == {self.place}
            assert all(listing.created_at > before for listing in found.values())

        runner.run(story())

    def test_logs_are_the_tail_and_say_what_is_missing(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        async def story() -> None:
            await runtime.create(self.ends("job-1", exit_code=0, output="first line\nlast line\n"))
            await self.ended(runtime, "job-1")
            whole = await runtime.logs("job-1", place=self.place, bytes_max=1_000)
            tail = await runtime.logs("job-1", place=self.place, bytes_max=5)
            assert whole is not None
            assert tail is not None
            assert (whole.text, whole.truncated) == ("first line\nlast line\n", False)
            assert (tail.text, tail.truncated) == ("line\n", True)

        runner.run(story())

    def test_no_answer_shows_a_secret(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        """I8."""

        async def story() -> None:
            request = replace(self.stays("job-1"), secure_env={"TOKEN": SECRET})
            assert SECRET not in repr(request)
            await runtime.create(request)
            status = await self.seen(runtime, "job-1", lambda status: status is not None and status.phase == "running")
            tail = await runtime.logs("job-1", place=self.place, bytes_max=10_000)
            assert SECRET not in repr([status, await runtime.list(), tail])

        runner.run(story())

    @pytest.mark.parametrize("name", ["", "..", "a/b", "../up", "-a", "a-", "a--b", "A", "a.b", "a" * 64, "a\n", "ä"])
    def test_a_bad_name_is_refused_for_good(self, runtime: ContainerRuntime, runner: asyncio.Runner, name: str) -> None:
        async def story() -> None:
            with pytest.raises(GroupRefused) as refused:
                await runtime.create(self.ends(name, exit_code=0, output=""))
            assert refused.value.refusal.kind == "permanent"
            assert await runtime.inspect(name, place=self.place) is None
            await runtime.delete(name, place=self.place)
            assert list(await runtime.list()) == []

        runner.run(story())

    def test_many_groups_at_once_do_not_mix(self, runtime: ContainerRuntime, runner: asyncio.Runner) -> None:
        async def story() -> None:
            names = [f"job-{number}" for number in range(10)]
            requests: list[Awaitable[None]] = [
                runtime.create(self.ends(name, exit_code=number, output=f"I am {name}"))
                for number, name in enumerate(names)
            ]
            await asyncio.gather(*requests)
            for number, name in enumerate(names):
                assert (await self.ended(runtime, name)).exit_code == number
                tail = await runtime.logs(name, place=self.place, bytes_max=1_000)
                assert tail is not None
                assert tail.text == f"I am {name}"
            await asyncio.gather(*(runtime.delete(name, place=self.place) for name in names))
            for name in names:
                await self.gone(runtime, name)

        runner.run(story())
