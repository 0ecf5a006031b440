"""The read service answers pages from one event loop, and errors of the stores reach the page."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mayfly.errors import TryAgain
from streamlit_dashboard import services
from streamlit_dashboard.services import ask, stores
from tests.streamlit_dashboard.seeding import Seeded


def test_every_question_runs_on_the_same_thread_which_is_not_the_pages(seeded: Seeded) -> None:
    async def thread() -> int:
        return threading.get_ident()

    found = {ask(thread()) for _ in range(3)}
    assert len(found) == 1
    assert found != {threading.get_ident()}
    assert stores() is stores()


def test_an_error_of_a_store_is_raised_where_the_question_was_asked(seeded: Seeded) -> None:
    async def fail() -> None:
        raise TryAgain("the disk is gone")

    with pytest.raises(TryAgain, match="the disk is gone"):
        ask(fail())


def test_a_store_that_does_not_answer_is_an_error_and_its_question_is_canceled(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    canceled = threading.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            canceled.set()
            raise

    monkeypatch.setattr(services, "_READ_WITHIN_S", 0)
    with pytest.raises(TryAgain, match="did not answer within 0 s"):
        ask(hang())
    monkeypatch.undo()
    canceled.wait()
