"""The pages with their stores in Cosmos DB: the tests for SQLite, and those that are specific to Cosmos DB."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from mayfly.cosmos.account import LAYOUT
from mayfly.log.cosmos.event_log import CosmosEventLog
from mayfly.views.cosmos.job_views import CosmosJobViews
from tests.cosmos_server.server import KEY, CosmosServer
from tests.streamlit_dashboard.conftest import Open, shown
from tests.streamlit_dashboard.job_tabs.test_events import (  # noqa: F401
    test_the_slider_shows_the_job_as_it_was,
)
from tests.streamlit_dashboard.job_tabs.test_usage import (  # noqa: F401
    test_usage_and_cost_are_there_after_the_container_is_gone,
)
from tests.streamlit_dashboard.screens.test_board import (  # noqa: F401 - run here with another `seeded`
    test_a_job_of_each_state_has_its_card_with_sign_and_word,
    test_an_empty_board_explains_what_to_do,
    test_jobs_are_filtered_by_label_name_state_and_time,
    test_older_and_newer_lead_through_all_jobs,
    test_the_table_has_every_job_with_utc_on_hover,
)
from tests.streamlit_dashboard.screens.test_job import (  # noqa: F401
    test_a_job_that_is_done_shows_its_state_result_and_output,
)
from tests.streamlit_dashboard.screens.test_system import (  # noqa: F401
    test_a_container_that_stays_is_listed_once_it_is_late,
    test_empty_stores_are_explained,
    test_events_that_are_not_in_the_views_yet_are_counted,
    test_held_jobs_are_listed_with_their_reason,
    test_it_shows_the_log_and_views_that_are_up_to_date,
    test_phases_and_outcomes_are_shown,
    test_without_the_api_the_rest_is_shown,
)
from tests.streamlit_dashboard.seeding import FAILED, Seeded, succeeded

DATABASE = str(LAYOUT["database"])


@pytest.fixture(autouse=True)
def _in_cosmos(monkeypatch: pytest.MonkeyPatch, cosmos_server: CosmosServer, _fresh: None) -> Iterator[None]:
    asyncio.run(_drop(cosmos_server))
    monkeypatch.setenv("MAYFLY_STORE", "cosmos")
    monkeypatch.setenv("MAYFLY_COSMOS_ENDPOINT", cosmos_server.endpoint)
    monkeypatch.setenv("MAYFLY_COSMOS_KEY", KEY)
    yield
    cosmos_server.meet()


@pytest.fixture
def seeded(cosmos_server: CosmosServer) -> Iterator[Seeded]:
    account = cosmos_server.account(DATABASE)
    seeded = Seeded(CosmosEventLog(account), CosmosJobViews(account))
    seeded.begin()
    yield seeded
    seeded.close()


async def _drop(server: CosmosServer) -> None:
    async with CosmosClient(server.endpoint, KEY, enable_endpoint_discovery=False) as client:
        try:
            await client.delete_database(DATABASE)
        except CosmosResourceNotFoundError:
            return


def test_missing_stores_are_an_error_until_they_exist(opened: Open, cosmos_server: CosmosServer) -> None:
    app = opened()
    assert "the database or a container is missing" in shown(app)
    app = opened("system")
    assert shown(app).count("This page retries automatically") >= 4
    account = cosmos_server.account(DATABASE)
    late = Seeded(CosmosEventLog(account), CosmosJobViews(account))
    job_id = late.job(1, succeeded())
    late.close()
    assert job_id in shown(opened())


def test_an_account_that_denies_access_is_an_error_until_it_grants_it(
    seeded: Seeded, opened: Open, cosmos_server: CosmosServer
) -> None:
    job_id = seeded.job(1, FAILED)
    cosmos_server.meet({"verb": "POST", "path": "/docs", "do": "refuse", "status": 403, "times": 1_000})
    assert "the identity lacks its data role here" in shown(opened())
    cosmos_server.meet()
    assert job_id in shown(opened())


def test_a_reader_creates_and_writes_nothing(opened: Open, cosmos_server: CosmosServer, seeded: Seeded) -> None:
    """The role of the dashboard can only read."""
    job_id = seeded.job(1, succeeded())
    cosmos_server.note_writes()
    for page in ("board", "system"):
        opened(page)
    opened("job", job=job_id)
    carried_out = cosmos_server.writes()
    assert carried_out
    assert {one["headers"]["content-type"] for one in carried_out} == {"application/query+json"}


def test_a_lag_of_all_the_last_events_is_shown_as_that_many_or_more(
    seeded: Seeded, opened: Open, cosmos_server: CosmosServer
) -> None:
    for number in range(12):
        seeded.job(number, succeeded(), projected=False)
    cosmos_server.meet(
        {
            "verb": "GET", "path": "/colls/events", "do": "answer", "times": 1_000, "status": 200,
            "headers": {"x-ms-resource-usage": "documentsCount=1234567;collectionSize=2048;"}, "body": {"id": "events"},
        }
    )  # fmt: skip
    values = {metric.label: metric.value for metric in opened("system").metric}
    assert values["Projector lag"] == "100+ events"
    assert values["Events in the log"] == "1,234,567"
    assert values["Log size"] == "2.1 MB"
