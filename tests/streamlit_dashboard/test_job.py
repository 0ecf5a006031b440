"""The page of a job: its view of a job in every state and at every position, and its actions."""

from __future__ import annotations

import pytest

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.spec import JobSpec, RetryPolicy
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


@pytest.mark.parametrize(
    "result", [None, True, 3, 2.5, "text", "two\nlines", [{"a": 1}, {"a": 2}], {"deep": {"er": [1]}}, [], {}]
)
def test_a_result_of_any_type_is_drawn(seeded: Seeded, opened: Open, result: object) -> None:
    opened("job", job=seeded.job(1, succeeded(result)))


def test_a_running_job_shows_progress_and_its_live_output(seeded: Seeded, opened: Open, serve: Serve) -> None:
    progress = c.ReportProgress(
        attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=1, fraction=0.4, message="resizing")
    )
    job_id = seeded.job(1, (*STARTED, progress))
    serve({f"GET /api/jobs/{job_id}/logs": [LOGS]})
    text = shown(opened("job", job=job_id))
    assert "live line" in text
    assert "40%" in text
    assert "resizing" in text


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


def test_the_page_of_a_job_that_ends_stops_polling(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1, STARTED)
    serve({f"GET /api/jobs/{job_id}/logs": [LOGS]})
    app = opened("job", job=job_id)
    report = c.ReportSuccess(attempt=1, claim=CLAIM, body=e.WorkerSucceeded(result=7, exit_code=0, output_tail=""))
    seeded.then(job_id, report, *CLEANED)
    app.run()
    assert "mf-sign-succeeded" in shown(app)
    assert app.metric[0].value == "7"


def test_search_marks_what_it_finds(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, succeeded()))
    app.text_input(key="log-search").input("SECOND").run()
    text = shown(app)
    assert "<mark>second</mark>" in text
    assert "1 of 3 lines contains “SECOND”" in text
    assert "first line" not in text


def test_a_failed_job_shows_why(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, FAILED))
    assert app.error[0].value == "exit: exit code 7"


def test_a_held_job_shows_the_reason(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, HELD))
    assert "100 of 100 groups in use" in app.info[0].value


def tab(app: object, name: str) -> None:
    """Open a tab, as a click does."""
    app.session_state["tab"] = name  # type: ignore[attr-defined]
    app.run()  # type: ignore[attr-defined]


def test_the_slider_shows_the_job_as_it_was(seeded: Seeded, opened: Open) -> None:
    app = opened("job", job=seeded.job(1, succeeded({"sum": 42})))
    tab(app, ":material/history: Events")
    last = int(app.slider(key="position").max or 0)
    assert "<b>Now</b>" in shown(app)
    app.slider(key="position").set_value(2).run()
    text = shown(app)
    assert "After event 2" in text
    assert "ContainerRequested" in text
    assert "mf-sign-starting" in text
    assert text.count('class="mf-later"') == last - 2
    app.slider(key="position").set_value(1).run()
    assert "mf-sign-queued" in shown(app)


def test_the_slider_follows_the_stream_only_at_its_end(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1, STARTED)
    serve({f"GET /api/jobs/{job_id}/logs": [LOGS], f"GET /api/jobs/{job_id}/metrics": [METRICS]})
    app = opened("job", job=job_id)
    tab(app, ":material/history: Events")
    assert app.slider(key="position").value == 3
    seeded.then(
        job_id,
        c.ReportProgress(attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=1, fraction=0.1, message="on")),
    )
    app.run()
    assert app.slider(key="position").value == 4
    app.slider(key="position").set_value(2).run()
    seeded.then(
        job_id,
        c.ReportProgress(attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=2, fraction=0.2, message="on")),
    )
    app.run()
    assert app.slider(key="position").value == 2


@pytest.mark.parametrize("name", [":material/monitoring: CPU and memory", ":material/payments: Cost"])
def test_usage_and_cost_are_there_after_the_container_is_gone(seeded: Seeded, opened: Open, name: str) -> None:
    app = opened("job", job=seeded.job(1, succeeded()))
    tab(app, name)
    text = shown(app)
    assert not app.exception
    assert "1 CPU, 1.5 GB" in text
    assert ("waste: idle" in text) == ("Cost" in name)


def test_the_spec_shows_only_the_names_of_secrets(seeded: Seeded, opened: Open) -> None:
    spec = JobSpec(command=("true",), secrets={"DB": "db-password"}, retry=RetryPolicy(max_attempts=3))
    app = opened("job", job=seeded.job(1, spec=spec))
    tab(app, ":material/description: Spec")
    assert "DB from db-password" in shown(app)
    assert "up to 3" in shown(app)


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
