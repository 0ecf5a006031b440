"""The contract of every `IntakeRecord`. An adapter joins as with the other contracts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mayfly.intake.intake_record import IntakeRecord, RejectedMessage
from tests.mayfly.jobs.samples import T0

REJECTED = RejectedMessage(
    queue="jobs", message_id="order/17?\n", at=T0, reason="body: é", body_bytes=3, body_sha256="0" * 64
)


class IntakeRecordContract:
    def open(self) -> IntakeRecord:
        """Return an empty record."""
        raise NotImplementedError

    @pytest.fixture
    def record(self, runner: asyncio.Runner) -> Iterator[IntakeRecord]:
        record = self.open()
        yield record
        runner.run(record.close())

    def test_a_rejected_message_reads_back_equal(self, record: IntakeRecord, runner: asyncio.Runner) -> None:
        assert list(runner.run(record.rejections())) == []
        assert runner.run(record.record(REJECTED)) is True
        assert list(runner.run(record.rejections())) == [REJECTED]

    def test_the_first_record_of_a_message_is_final(self, record: IntakeRecord, runner: asyncio.Runner) -> None:
        runner.run(record.record(REJECTED))
        assert runner.run(record.record(replace(REJECTED, reason="other", at=T0 + timedelta(hours=1)))) is False
        assert list(runner.run(record.rejections())) == [REJECTED]

    def test_the_same_id_in_another_queue_is_another_message(
        self, record: IntakeRecord, runner: asyncio.Runner
    ) -> None:
        assert runner.run(record.record(REJECTED)) is True
        assert runner.run(record.record(replace(REJECTED, queue="more"))) is True

    def test_the_newest_comes_first_and_the_limit_holds(self, record: IntakeRecord, runner: asyncio.Runner) -> None:
        for number in (2, 0, 3, 1):
            runner.run(record.record(replace(REJECTED, message_id=str(number), at=T0 + timedelta(seconds=number))))
        assert [one.message_id for one in runner.run(record.rejections(limit=3))] == ["3", "2", "1"]
