"""The dialog that clears the board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamlit_dashboard import clearing
from tests.mayfly.cli.scripted_api import Answer, ScriptedApi
from tests.streamlit_dashboard.conftest import Open, Serve, shown
from tests.streamlit_dashboard.seeding import Seeded, succeeded


def test_clear_shows_what_it_will_do_first(seeded: Seeded, opened: Open, serve: Serve) -> None:
    seeded.job(1)
    seeded.job(2, succeeded())
    steps = [{"canceled": 1, "archived": 1, "cursor": "on"}, {"canceled": 0, "archived": 1, "cursor": None}]
    api = serve({"POST /api/jobs/clear": [Answer(status=202, body=step) for step in steps]})
    app = opened()
    app.button(key="clear").click().run()
    assert "**1 open job** will be **canceled**" in shown(app)
    assert "**2 jobs** in total will be **archived**" in shown(app)
    assert api.requests("POST /api/jobs/clear") == []
    app.button(key="clear-now").click().run()
    assert len(api.requests("POST /api/jobs/clear")) == 2
    assert app.toast[0].value == "Canceled 1, archived 2."
    assert "Cancel and archive" not in [button.label for button in app.button]


@dataclass
class Clock:
    """Stands in for the module `time`, and does something after some sleeps."""

    act: Callable[[], None] = lambda: None
    act_after: int = -1
    slept: int = 0

    def monotonic(self) -> float:
        return self.slept * 0.1

    def sleep(self, seconds: float) -> None:
        assert seconds == 0.1
        self.slept += 1
        if self.slept == self.act_after:
            self.act()


@pytest.fixture
def api(serve: Serve) -> ScriptedApi:
    """An API that clears the board in one step."""
    step = {"canceled": 1, "archived": 1, "cursor": None}
    return serve({"POST /api/jobs/clear": [Answer(status=202, body=step)]})


def _clear_while_views_lag(seeded: Seeded, opened: Open) -> None:
    """Clear after a second job is in the log, but not in the views."""
    seeded.job(1)
    app = opened()
    app.button(key="clear").click().run()
    seeded.job(2, projected=False)
    app.button(key="clear-now").click().run()


def test_a_clear_waits_for_views_that_lag(
    seeded: Seeded, opened: Open, api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def project() -> None:
        assert api.requests("POST /api/jobs/clear") == []
        host = Seeded.in_files(tmp_path)
        host.project()
        host.close()

    clock = Clock(act=project, act_after=10)
    monkeypatch.setattr(clearing, "time", clock)
    _clear_while_views_lag(seeded, opened)
    assert clock.slept == 10
    assert len(api.requests("POST /api/jobs/clear")) == 1


def test_a_clear_does_not_wait_forever_for_views(
    seeded: Seeded, opened: Open, api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(clearing, "time", clock)
    _clear_while_views_lag(seeded, opened)
    assert clock.slept == 50
    assert len(api.requests("POST /api/jobs/clear")) == 1


def test_an_interrupted_clear_shows_why_and_can_be_repeated(seeded: Seeded, opened: Open) -> None:
    seeded.job(1)
    app = opened()
    app.button(key="clear").click().run()
    app.button(key="clear-now").click().run()
    assert "The board was not cleared: http://127.0.0.1:9 does not answer" in shown(app)
    app.run()
    assert app.button(key="clear-now").label == "Cancel and archive"
