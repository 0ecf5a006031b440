"""The events tab: the stream, and the job as it was at each position."""

from __future__ import annotations

from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from tests.mayfly.cli.scripted_api import Answer
from tests.mayfly.jobs.samples import CLAIM
from tests.streamlit_dashboard.conftest import Open, Serve, shown, tab
from tests.streamlit_dashboard.seeding import STARTED, Seeded, succeeded

LOGS = Answer(body={"attempt": 1, "source": "container", "text": "live line\n", "truncated": False})


METRICS = Answer(body={"samples": [{"at": "2026-01-01T00:00:00+00:00", "cpu_cores": 0.5, "memory_bytes": 1_000_000}]})


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
        c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=1, fraction=0.1, message="on")),
    )
    app.run()
    assert app.slider(key="position").value == 4
    app.slider(key="position").set_value(2).run()
    seeded.then(
        job_id,
        c.ReportWork(attempt=1, claim=CLAIM, body=e.WorkerProgressed(sequence=2, fraction=0.2, message="on")),
    )
    app.run()
    assert app.slider(key="position").value == 2
