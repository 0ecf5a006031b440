"""The page of a job: its view of a job in every state and at every position, and its actions."""

from __future__ import annotations

import pytest

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from tests.mayfly.cli.scripted_api import Answer
from tests.mayfly.jobs.samples import CLAIM
from tests.streamlit_dashboard.conftest import Open, Serve, shown
from tests.streamlit_dashboard.seeding import CLEANED, FAILED, HELD, STARTED, Seeded, succeeded

LOGS = Answer(body={"attempt": 1, "source": "container", "text": "live line\n", "truncated": False})
METRICS = Answer(body={"samples": [{"at": "2026-01-01T00:00:00+00:00", "cpu_cores": 0.5, "memory_bytes": 1_000_000}]})


def test_a_job_that_is_done_shows_its_state_result_and_output(seeded: Seeded, opened: Open) -> None:
    job_id = seeded.job(1, succeeded({"sum": 42}))
    app = opened("job", job=job_id)
    text = shown(app)
    assert job_id in text
    assert "mf-sign-succeeded" in text
    assert [metric.value for metric in app.metric] == ["42"]
    assert "first line" in text
    assert "second &lt;b&gt;line&lt;/b&gt;" in text
    assert "\x1b" not in text
    assert "kept in the log" in text


def test_a_running_job_shows_progress_and_its_live_output(seeded: Seeded, opened: Open, serve: Serve) -> None:
    progress = c.ReportWork(
        attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=1, fraction=0.4, message="resizing")
    )
    job_id = seeded.job(1, (*STARTED, progress))
    serve({f"GET /api/jobs/{job_id}/logs": [LOGS]})
    text = shown(opened("job", job=job_id))
    assert "live line" in text
    assert "40%" in text
    assert "resizing" in text


def test_the_page_of_a_job_that_ends_stops_polling(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1, STARTED)
    serve({f"GET /api/jobs/{job_id}/logs": [LOGS]})
    app = opened("job", job=job_id)
    report = c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerSucceeded(result=7, exit_code=0, output_tail=""))
    seeded.then(job_id, report, *CLEANED)
    app.run()
    assert "mf-sign-succeeded" in shown(app)
    assert app.metric[0].value == "7"


def test_a_failed_job_shows_why(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, FAILED))
    assert app.error[0].value == "exit: exit code 7"


def test_a_held_job_shows_the_reason(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, HELD))
    assert "100 of 100 groups in use" in app.info[0].value


def test_cancel_calls_the_api(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1)
    api = serve({f"POST /api/jobs/{job_id}/cancel": [Answer(status=202, body={"state": "canceled"})]})
    app = opened("job", job=job_id)
    app.button(key="cancel").click().run()
    assert len(api.requests(f"POST /api/jobs/{job_id}/cancel")) == 1
    assert not app.exception


def test_archive_calls_the_api(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1, FAILED)
    api = serve({f"POST /api/jobs/{job_id}/archive": [Answer(status=202, body={"archived": True})]})
    opened("job", job=job_id).button(key="archive").click().run()
    assert len(api.requests(f"POST /api/jobs/{job_id}/archive")) == 1


@pytest.mark.parametrize(
    ("job_id", "text"),
    [("../etc/passwd", "is not a job id"), ("ada-abcdefghij", "there is no job"), ("", "Newest jobs")],
)
def test_a_link_to_no_job_explains_why(seeded: Seeded, opened: Open, job_id: str, text: str) -> None:
    seeded.job(1)
    assert text in shown(opened("job", job=job_id))
