"""What every `Ledger` must do, whatever it keeps its book in.

An adapter joins with a subclass whose name begins with `Test` and one method that opens the same book each time.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mayfly.admission.ledger import Cooldown, Ledger, LedgerState, QueueEntry, Reservation

BOOK = LedgerState(
    shares={"ada-abcdefghij": Reservation(place="westeurope-spot", cores=1.25, at=1_700_000_000.123)},
    line={
        "bob-abcdefghij": QueueEntry(priority=9, submitted_at=2.0, cores=1.0, places=("a", "b"), until=3.5),
        "ada-bbcdefghij": QueueEntry(priority=5, submitted_at=1.0, cores=1.0, places=(), until=3.5),
    },
    creates={"westeurope": (1.0, 2.0), "*": (2.0,)},
    deletes={"westeurope": ()},
    bars={"westeurope": Cooldown(until=4.0, cores=2.0)},
)


class LedgerContract:
    def open(self) -> Ledger:
        """Return the ledger as another process opens it."""
        raise NotImplementedError

    def test_there_is_no_book_at_first(self, runner: asyncio.Runner) -> None:
        assert runner.run(self.open().read()) == (None, "")

    def test_what_is_written_is_read_by_another_process_with_the_line_in_its_order(
        self, runner: asyncio.Runner
    ) -> None:
        assert runner.run(self.open().write(BOOK, expected=""))
        book, version = runner.run(self.open().read())
        assert book == BOOK
        assert list(book.line) == list(BOOK.line)
        assert version != ""

    def test_only_one_writer_makes_the_first_book(self, runner: asyncio.Runner) -> None:
        first, second = self.open(), self.open()
        assert runner.run(first.write(BOOK, expected=""))
        assert not runner.run(second.write(LedgerState(), expected=""))
        assert runner.run(second.read())[0] == BOOK

    def test_a_write_over_another_version_writes_nothing(self, runner: asyncio.Runner) -> None:
        first, second = self.open(), self.open()
        runner.run(first.write(BOOK, expected=""))
        _, version = runner.run(second.read())
        changed = replace(BOOK, line={})
        assert runner.run(first.write(changed, expected=version))
        assert not runner.run(second.write(LedgerState(), expected=version))
        assert runner.run(second.read())[0] == changed

    def test_of_many_that_write_at_once_over_one_version_exactly_one_does(self, runner: asyncio.Runner) -> None:
        runner.run(self.open().write(LedgerState(), expected=""))
        _, version = runner.run(self.open().read())

        async def write_all() -> list[bool]:
            return await asyncio.gather(*(self.open().write(BOOK, expected=version) for _ in range(8)))

        assert runner.run(write_all()).count(True) == 1

    def test_a_book_of_a_thousand_that_wait_is_kept(self, runner: asyncio.Runner) -> None:
        turn = QueueEntry(priority=5, submitted_at=1.0, cores=1.0, places=("swedencentral", "westeurope"), until=2.0)
        book = LedgerState(line={f"ada-{number:010d}": turn for number in range(1_000)})
        assert runner.run(self.open().write(book, expected=""))
        assert runner.run(self.open().read())[0] == book
