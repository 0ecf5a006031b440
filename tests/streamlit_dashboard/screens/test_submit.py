"""The submit page: errors at their fields, the plan before, the job after, and a copy of a job."""

from __future__ import annotations

from mayfly.jobs.spec import JobSpec, RetryPolicy
from tests.mayfly.cli.scripted_api import Answer
from tests.streamlit_dashboard.conftest import Open, Serve, shown
from tests.streamlit_dashboard.seeding import FAILED, Seeded

PLAN = Answer(
    body={
        "place": "local",
        "price": {"currency": "USD", "per_hour": 0.05, "at_most": 0.075},
        "obstacles": ["no secret db-password"],
        "warnings": ["cpu 1 is not enforced here"],
    }
)


def test_errors_are_at_their_fields_in_the_words_of_the_spec(seeded: Seeded, opened: Open, serve: Serve) -> None:
    api = serve({"POST /api/plan": [PLAN]})
    app = opened("submit")
    app.text_area(key="message").input("hi")
    app.number_input(key="cpu").set_value(64.0)
    app.text_input(key="job_name").input("Big Name")
    app.text_area(key="env").input("NO_VALUE")
    app.run()
    text = shown(app)
    assert "must be between 0.1 and 31 (got 64.0)" in text
    assert "line 1 must be NAME=VALUE" in text
    assert text.count('role="alert"') == 3
    app.button(key="send").click().run()
    assert api.requests("POST /api/jobs") == []


def test_the_price_and_blockers_are_shown_first(seeded: Seeded, opened: Open, serve: Serve) -> None:
    api = serve({"POST /api/plan": [PLAN]})
    app = opened("submit")
    app.text_area(key="message").input("hi").run()
    text = shown(app)
    assert "$0.0500" in text
    assert "Blocked: no secret db-password" in text
    assert "cpu 1 is not enforced here" in text
    app.run()
    assert len(api.requests("POST /api/plan")) == 1


def test_a_job_is_submitted_once_however_often_it_is_sent(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1)
    refused = Answer(status=422, body={"title": "the quota is used up"})
    api = serve({"POST /api/plan": [PLAN], "POST /api/jobs": [refused, Answer(status=202, body={"job_id": job_id})]})
    app = opened("submit")
    app.segmented_control(key="kind").set_value("Command").run()
    app.text_area(key="command").input("sh -c 'echo hi'").run()
    app.button(key="send").click().run()
    assert "The job was not submitted: the quota is used up" in shown(app)
    app.button(key="send").click().run()
    first, second = api.requests("POST /api/jobs")
    assert first.body["command"] == ["sh", "-c", "echo hi"]
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert app.session_state["own"] == [job_id]


def test_an_api_that_is_gone_keeps_what_was_typed_and_the_key(seeded: Seeded, opened: Open) -> None:
    app = opened("submit")
    app.text_area(key="message").input("hi").run()
    key = app.session_state["submission"]
    assert "The plan could not be read" in shown(app)
    app.button(key="send").click().run()
    assert "The job was not submitted" in shown(app)
    assert app.text_area(key="message").value == "hi"
    assert app.session_state["submission"] == key


def test_run_again_fills_in_the_spec_of_the_job(seeded: Seeded, opened: Open) -> None:
    spec = JobSpec(command=("sh", "-c", "exit 7"), labels={"team": "web"}, retry=RetryPolicy(max_attempts=2))
    app = opened("submit", again=seeded.job(1, FAILED, spec=spec))
    assert app.text_area(key="command").value == "sh -c 'exit 7'"
    assert app.text_area(key="labels").value == "team=web"
    assert app.number_input(key="max_attempts").value == 2


def test_an_untouched_form_shows_no_error(seeded: Seeded, opened: Open) -> None:
    app = opened("submit")
    assert 'role="alert"' not in shown(app)
    assert not app.error
    app.button(key="send").click().run()
    assert app.error[0].value == "a message or a command is required"
