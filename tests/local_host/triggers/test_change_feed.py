"""Documents of a manual run, and polls that keep failing with the same message."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from local_host.app.functions import FEED
from local_host.triggers.sqlite_feed import SqliteFeedTrigger
from tests.local_host.driving import loaded
from tests.local_host.triggers.driving import FEEDS, hub_and_invoker
from tests.virtual_clock import VirtualClock


@pytest.mark.parametrize(
    ("text", "numbers"), [('[{"n": 1}, {"n": 2}]', [1, 2]), ('{"n": 3}', [3]), ("", []), ("[]", [])]
)
def test_a_manual_run_passes_a_list_one_document_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, numbers: list[int]
) -> None:
    monkeypatch.setenv("FEED", f"sqlite:{tmp_path / 'log.db'}")
    function = next(each for each in loaded(tmp_path, FEEDS).functions if each.kind == FEED)
    with hub_and_invoker() as (hub, invoker):
        trigger = SqliteFeedTrigger(
            function, settings={"FEED": "sqlite:x"}, hub=hub, clock=VirtualClock(), invoker=invoker
        )
        asyncio.run(trigger.run_once(text))
    assert function.call.__globals__["batches"] == [numbers]


def test_a_fault_that_lasts_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"this is not a database, and longer than a header of one hundred bytes" * 2)
    monkeypatch.setenv("FEED", f"sqlite:{path}")
    function = next(each for each in loaded(tmp_path, FEEDS).functions if each.kind == FEED)
    with hub_and_invoker() as (hub, invoker), caplog.at_level(logging.INFO):
        settings = {"FEED": f"sqlite:{path}"}
        trigger = SqliteFeedTrigger(function, settings=settings, hub=hub, clock=VirtualClock(), invoker=invoker)
        for _ in range(3):
            assert not asyncio.run(trigger.deliver())
    assert caplog.text.count(f"is waiting for {path}: file is not a database") == 1
