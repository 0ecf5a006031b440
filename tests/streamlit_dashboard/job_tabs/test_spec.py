"""The spec tab: the spec as it was accepted, with the names of secrets and no values."""

from __future__ import annotations

from mayfly.jobs.spec import JobSpec, RetryPolicy
from tests.streamlit_dashboard.conftest import Open, shown, tab
from tests.streamlit_dashboard.seeding import Seeded


def test_the_spec_shows_only_the_names_of_secrets(seeded: Seeded, opened: Open) -> None:
    spec = JobSpec(command=("true",), secrets={"DB": "db-password"}, retry=RetryPolicy(max_attempts=3))
    app = opened("job", job=seeded.job(1, spec=spec))
    tab(app, ":material/description: Spec")
    assert "DB from db-password" in shown(app)
    assert "up to 3" in shown(app)
