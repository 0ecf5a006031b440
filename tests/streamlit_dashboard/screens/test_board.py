"""The board: its view of jobs in every state, and its actions."""

from __future__ import annotations

import shutil
from pathlib import Path

from mayfly.jobs.spec import JobSpec
from streamlit_dashboard import services
from tests.mayfly.cli.scripted_api import Answer
from tests.streamlit_dashboard.conftest import Open, Serve, shown
from tests.streamlit_dashboard.seeding import CANCELED, FAILED, HELD, STARTED, Seeded, succeeded


def test_a_job_of_each_state_has_its_card_with_sign_and_word(seeded: Seeded, opened: Open) -> None:
    ids = [
        seeded.job(number, commands)
        for number, commands in enumerate([(), HELD, STARTED, succeeded({"sum": 42}), FAILED, CANCELED])
    ]
    text = shown(opened())
    assert all(job_id in text for job_id in ids)
    for word in ("queued", "running", "succeeded", "failed", "canceled"):
        assert f"mf-sign-{word}" in text
        assert f">{word}</span>" in text.replace("</i>", "</i>>")
    assert "100 of 100 groups in use" in text
    assert "exit code 7" in text
    assert "{&quot;sum&quot;: 42}" in text
    assert "its container still exists" in text


def test_text_from_a_job_is_never_html(seeded: Seeded, opened: Open) -> None:
    seeded.job(1, FAILED, spec=JobSpec(command=("<script>alert(1)</script>",), labels={"a": "<img src=x>"}))
    text = shown(opened())
    assert "<script>" not in text
    assert "<img" not in text


def test_an_empty_board_explains_what_to_do(seeded: Seeded, opened: Open) -> None:
    assert "No jobs yet" in shown(opened())


def test_filters_without_a_match_show_a_hint(seeded: Seeded, opened: Open) -> None:
    seeded.job(1)
    app = opened()
    app.text_input(key="name").input("nobody").run()
    assert "No job matches these filters" in shown(app)
    assert not app.exception


def test_jobs_are_filtered_by_label_name_state_and_time(seeded: Seeded, opened: Open) -> None:
    web = seeded.job(1, FAILED, spec=JobSpec(message="hi", labels={"team": "web"}))
    other = seeded.job(2, spec=JobSpec(message="hi", name="resize"))
    old = seeded.job(3, ago_s=7_200)
    app = opened()
    app.text_input(key="label").input("team=web").run()
    assert (web in shown(app), other in shown(app)) == (True, False)
    app.text_input(key="label").input("").run()
    app.text_input(key="name").input("resize").run()
    assert (web in shown(app), other in shown(app)) == (False, True)
    app.text_input(key="name").input("").run()
    app.segmented_control(key="window").set_value("1 h").run()
    assert (web in shown(app), old in shown(app)) == (True, False)
    app.button_group(key="state").set_value(["failed"]).run()
    assert (web in shown(app), other in shown(app)) == (True, False)


def test_the_chart_has_its_numbers_in_words(seeded: Seeded, opened: Open) -> None:
    for number, commands in enumerate([succeeded(), succeeded(), FAILED]):
        seeded.job(number, commands, ago_s=7_200)
    text = shown(opened())
    assert 'aria-label="Jobs by time of submission and state: 3"' in text
    assert ": 3 jobs (1 failed, 2 succeeded)" in text


def test_a_label_without_a_value_is_an_error(seeded: Seeded, opened: Open) -> None:
    app = opened()
    app.text_input(key="label").input("team").run()
    assert "Labels: must be NAME=VALUE" in shown(app)


def test_older_and_newer_lead_through_all_jobs(seeded: Seeded, opened: Open) -> None:
    ids = [seeded.job(number, ago_s=1_000 - number, projected=False) for number in range(30)]
    seeded.project()
    app = opened()
    assert (ids[-1] in shown(app), ids[0] in shown(app)) == (True, False)
    app.button(key="older").click().run()
    assert (ids[-1] in shown(app), ids[0] in shown(app)) == (False, True)
    app.button(key="newer").click().run()
    assert (ids[-1] in shown(app), ids[0] in shown(app)) == (True, False)


def test_a_label_with_a_comma_is_found_in_quotes(seeded: Seeded, opened: Open) -> None:
    one = seeded.job(1, spec=JobSpec(message="hi", labels={"note": "a, b"}))
    other = seeded.job(2, spec=JobSpec(message="hi", labels={"note": "a"}))
    app = opened()
    app.text_input(key="label").input('"note=a, b"').run()
    assert (one in shown(app), other in shown(app)) == (True, False)


def test_the_table_has_every_job_with_utc_on_hover(seeded: Seeded, opened: Open) -> None:
    job_id = seeded.job(1, succeeded())
    app = opened()
    app.segmented_control(key="layout").set_value("table").run()
    text = shown(app)
    assert job_id in text
    assert "mf-sign-succeeded" in text
    assert f'title="{seeded.read(job_id).submitted_at:%Y-%m-%d %H:%M:%S.%f} UTC"' in text


def test_a_job_that_is_added_is_pending_at_once(seeded: Seeded, opened: Open, serve: Serve) -> None:
    job_id = seeded.job(1, projected=False, ago_s=0)
    api = serve({"POST /api/jobs": [Answer(status=202, body={"job_id": job_id})]})
    app = opened()
    assert job_id not in shown(app)
    app.text_input(key="quick-message").input("resize it")
    app.button[1].click().run()
    (asked,) = api.requests("POST /api/jobs")
    assert asked.body == {"message": "resize it"}
    assert asked.headers["x-mayfly-source"] == "dashboard"
    assert asked.headers["idempotency-key"]
    assert job_id in shown(app)
    assert "mf-sign-queued" in shown(app)


def test_a_job_that_cannot_be_added_shows_why_and_the_board_stays(seeded: Seeded, opened: Open) -> None:
    job_id = seeded.job(1)
    app = opened()
    app.text_input(key="quick-message").input("resize it")
    app.button[1].click().run()
    assert "The job was not added: http://127.0.0.1:9 does not answer" in shown(app)
    assert job_id in shown(app)


def test_a_missing_store_is_an_error_until_it_exists(tmp_path: Path, opened: Open) -> None:
    app = opened()
    assert "The board could not be read" in shown(app)
    assert "views.db does not exist" in shown(app)
    seeded = Seeded.in_files(tmp_path)
    job_id = seeded.job(1)
    app.run()
    assert job_id in shown(app)
    assert "could not be read" not in shown(app)
    seeded.close()


def test_a_store_that_disappears_is_an_error_until_it_is_back(seeded: Seeded, opened: Open, tmp_path: Path) -> None:
    job_id = seeded.job(1)
    app = opened()
    assert job_id in shown(app)
    shutil.move(tmp_path / "views.db", tmp_path / "elsewhere.db")
    app.run()
    assert "could not be read" in shown(app)
    shutil.move(tmp_path / "elsewhere.db", tmp_path / "views.db")
    app.run()
    assert job_id in shown(app)


def test_views_without_their_tables_are_an_error(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "views.db").write_bytes(b"")
    (tmp_path / "log.db").write_bytes(b"")
    assert "no such table" in shown(opened())
    assert services.stores().log_stats is not None
