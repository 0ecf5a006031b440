"""The output tab: kept and live output, its search, and results of every type."""

from __future__ import annotations

import pytest

from tests.mayfly.cli.scripted_api import Answer
from tests.streamlit_dashboard.conftest import Open, Serve, shown
from tests.streamlit_dashboard.seeding import STARTED, Seeded, succeeded

LOGS = Answer(body={"attempt": 1, "source": "container", "text": "live line\n", "truncated": False})


@pytest.mark.parametrize(
    "result", [None, True, 3, 2.5, "text", "two\nlines", [{"a": 1}, {"a": 2}], {"deep": {"er": [1]}}, [], {}]
)
def test_a_result_of_any_type_is_drawn(seeded: Seeded, opened: Open, result: object) -> None:
    opened("job", job=seeded.job(1, succeeded(result)))


def test_known_live_output_is_not_sent_again(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1, STARTED)
    body = {"attempt": 1, "source": "container", "truncated": False}
    parts = [{"text": "one\n", "begin": 0, "mark": "4-aa"}, {"text": "two\n", "begin": 4, "mark": "8-bb"}]
    api = serve({f"GET /api/jobs/{job_id}/logs": [Answer(body={**body, **part}) for part in parts]})
    app = opened("job", job=job_id)
    assert "one" in shown(app)
    app.run()
    assert "</i>one" in shown(app)
    assert "</i>two" in shown(app)
    assert "after=4-aa" in api.requests(f"GET /api/jobs/{job_id}/logs")[1].path


def test_without_the_api_the_rest_of_a_running_job_is_there(seeded: Seeded, opened: Open) -> None:
    job_id = seeded.job(1, STARTED)
    text = shown(opened("job", job=job_id))
    assert "The output could not be read" in text
    assert "mf-sign-running" in text


def test_search_marks_what_it_finds(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, succeeded()))
    app.text_input(key="log-search").input("SECOND").run()
    text = shown(app)
    assert "<mark>second</mark>" in text
    assert "1 of 3 lines contains “SECOND”" in text
    assert "first line" not in text
