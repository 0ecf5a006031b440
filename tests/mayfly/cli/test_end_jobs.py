"""`mayfly cancel` and `mayfly clear`."""

from __future__ import annotations

import pytest

from tests.mayfly.cli.conftest import Run, Serve
from tests.mayfly.cli.scripted_api import Answer
from tests.mayfly.cli.streams import running, succeeded, view

LIST = "GET /api/jobs"


def test_cancel_prints_the_state_of_each_job(run: Run, serve: Serve) -> None:
    api = serve(
        {
            "POST /api/jobs/ada-aaaaaaaaaa/cancel": [Answer(status=202, body={"state": "canceled"})],
            "POST /api/jobs/alan-bbbbbbbbbb/cancel": [Answer(status=202, body={"state": "failed"})],
        }
    )

    ran = run("cancel", "ada-aaaaaaaaaa", "alan-bbbbbbbbbb", "--reason", "enough")

    assert "ada-aaaaaaaaaa  ⊘ canceled" in ran.out
    assert "alan-bbbbbbbbbb  ✘ failed  already over" in ran.out
    assert [asked.body for asked in api.asked] == [{"reason": "enough"}] * 2


def test_clear_without_a_terminal_does_nothing(run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    api = serve({LIST: [Answer(body={"jobs": [view(running()), view(succeeded())], "cursor": None})]})

    ran = run("clear")

    assert ran.exit_code == 2
    assert "cancel 1 job and archive 2 jobs" in ran.err
    assert not api.requests("POST /api/jobs/clear")


def test_clear_with_yes_does_not_ask(run: Run, serve: Serve) -> None:
    api = serve(
        {
            "POST /api/jobs/clear": [
                Answer(status=202, body={"canceled": 1, "archived": 50, "cursor": "on"}),
                Answer(status=202, body={"canceled": 0, "archived": 2, "cursor": None}),
            ]
        }
    )

    assert run("clear", "--yes").out == "1 job canceled, 52 jobs archived\n"
    assert [asked.path for asked in api.requests("POST /api/jobs/clear")] == [
        "/api/jobs/clear",
        "/api/jobs/clear?cursor=on",
    ]
