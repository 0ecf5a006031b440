"""The system page: log, projector lag, held jobs, lingering containers, outcomes and phase durations."""

from __future__ import annotations

from tests.mayfly.cli.scripted_api import Answer
from tests.streamlit_dashboard.conftest import Open, Serve, shown
from tests.streamlit_dashboard.seeding import CANCELED, FAILED, HELD, Seeded, succeeded


def test_it_shows_the_log_and_views_that_are_up_to_date(seeded: Seeded, opened: Open, serve: Serve) -> None:
    serve({"GET /api/health": [Answer(body={"status": "ok"})]})
    job_id = seeded.job(1, succeeded())
    app = opened("system")
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Events in the log"] == str(seeded.read(job_id).position)
    assert values["Projector lag"] == "0 events"
    assert values["API"].endswith(" ms")


def test_events_that_are_not_in_the_views_yet_are_counted(seeded: Seeded, opened: Open) -> None:
    seeded.job(1, succeeded())
    behind = seeded.job(2, FAILED, projected=False)
    app = opened("system")
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Projector lag"] == f"{seeded.read(behind).position} events"
    assert any("behind" in metric.delta for metric in app.metric)


def test_without_the_api_the_rest_is_shown(seeded: Seeded, opened: Open) -> None:
    seeded.job(1, succeeded())
    app = opened("system")
    values = {metric.label: metric.value for metric in app.metric}
    assert values["API"] == "no answer"
    assert "you can view jobs but not submit or cancel them" in shown(app)
    assert "Events in the log" in values


def test_held_jobs_are_listed_with_their_reason(seeded: Seeded, opened: Open) -> None:
    held = seeded.job(1, HELD)
    text = shown(opened("system"))
    assert "Held jobs: 1" in text
    assert "100 of 100 groups in use" in text
    assert held in text


def test_a_container_that_stays_is_listed_once_it_is_late(seeded: Seeded, opened: Open) -> None:
    late = seeded.job(1, CANCELED, ago_s=600)
    fresh = seeded.job(2, CANCELED, ago_s=5)
    text = shown(opened("system"))
    assert "Lingering containers: 1" in text
    assert f"{late}-1-local" in text
    assert f"{fresh}-1-local" not in text
    assert "The containers of 1 finished job are being deleted right now" in text


def test_phases_and_outcomes_are_shown(seeded: Seeded, opened: Open) -> None:
    seeded.job(1, succeeded())
    seeded.job(2, FAILED)
    text = shown(opened("system"))
    for phase in ("queued", "starting", "running", "reporting", "deleting"):
        assert f"<td>{phase}</td>" in text


def test_empty_stores_are_explained(seeded: Seeded, opened: Open) -> None:
    text = shown(opened("system"))
    assert "No job is over yet" in text
    assert "No container has outlived its attempt by more than a minute." in text


def test_without_stores_the_page_stays_up_and_shows_the_api(opened: Open) -> None:
    app = opened("system")
    assert [metric.label for metric in app.metric] == ["API"]
    text = shown(app)
    assert "log.db does not exist" in text
    assert text.count("This page retries automatically") >= 4
