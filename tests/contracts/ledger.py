"""The contract of every `Ledger`, whatever its store.

An adapter joins with a subclass whose name begins with `Test` and one method that opens the same ledger each time.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mayfly.admission.ledger import Cooldown, Ledger, LedgerState, QueueEntry, Reservation

STATE = LedgerState(
    reservations={"ada-abcdefghij": Reservation(place="westeurope-spot", cores=1.25, at=1_700_000_000.123)},
    queue={
        "bob-abcdefghij": QueueEntry(priority=9, submitted_at=2.0, cores=1.0, places=("a", "b"), until=3.5),
        "ada-bbcdefghij": QueueEntry(priority=5, submitted_at=1.0, cores=1.0, places=(), until=3.5),
    },
    creates={"westeurope": (1.0, 2.0), "*": (2.0,)},
    deletes={"westeurope": ()},
    cooldowns={"westeurope": Cooldown(until=4.0, cores=2.0)},
)


class LedgerContract:
    def open(self) -> Ledger:
        """Return the ledger as another process opens it."""
        raise NotImplementedError

    def test_a_new_ledger_is_empty(self, runner: asyncio.Runner) -> None:
        assert runner.run(self.open().read()) == (None, "")

    def test_another_process_reads_the_written_state_with_the_queue_in_order(self, runner: asyncio.Runner) -> None:
        assert runner.run(self.open().write(STATE, expected=""))
        state, version = runner.run(self.open().read())
        assert state == STATE
        assert list(state.queue) == list(STATE.queue)
        assert version != ""

    def test_only_one_writer_creates_the_ledger(self, runner: asyncio.Runner) -> None:
        first, second = self.open(), self.open()
        assert runner.run(first.write(STATE, expected=""))
        assert not runner.run(second.write(LedgerState(), expected=""))
        assert runner.run(second.read())[0] == STATE

    def test_a_write_over_another_version_writes_nothing(self, runner: asyncio.Runner) -> None:
        first, second = self.open(), self.open()
        runner.run(first.write(STATE, expected=""))
        _, version = runner.run(second.read())
        changed = replace(STATE, queue={})
        assert runner.run(first.write(changed, expected=version))
        assert not runner.run(second.write(LedgerState(), expected=version))
        assert runner.run(second.read())[0] == changed

    def test_of_many_concurrent_writes_over_one_version_exactly_one_succeeds(self, runner: asyncio.Runner) -> None:
        runner.run(self.open().write(LedgerState(), expected=""))
        _, version = runner.run(self.open().read())

        async def write_all() -> list[bool]:
            return await asyncio.gather(*(self.open().write(STATE, expected=version) for _ in range(8)))

        assert runner.run(write_all()).count(True) == 1

    def test_a_queue_of_a_thousand_jobs_is_kept(self, runner: asyncio.Runner) -> None:
        entry = QueueEntry(priority=5, submitted_at=1.0, cores=1.0, places=("swedencentral", "westeurope"), until=2.0)
        state = LedgerState(queue={f"ada-{number:010d}": entry for number in range(1_000)})
        assert runner.run(self.open().write(state, expected=""))
        assert runner.run(self.open().read())[0] == state
