"""The same events, views, figures, refusals and ledger as items that 9e4d491 wrote to Cosmos DB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compatibility import recorded
from tests.compatibility.comparing import assert_holds, assert_same_job
from tests.compatibility.opened import Opened, load_items, opened_cosmos
from tests.cosmos_server.server import CosmosServer

EXPECTED = recorded.expected()
JOBS: dict[str, dict[str, Any]] = EXPECTED["jobs"]


@pytest.fixture(scope="module")
def opened(cosmos_server: CosmosServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    account = cosmos_server.account()
    loader = cosmos_server.account(f"test{cosmos_server.opened}")
    with opened_cosmos(account, tmp_path_factory.mktemp("cosmos")) as opened:
        opened.runner.run(load_items(loader, recorded.cosmos()))
        opened.runner.run(loader.leave())
        yield opened


def test_the_record_has_items_of_every_container_and_numbers_that_no_double_holds() -> None:
    items = recorded.cosmos()
    assert {name for name, found in items.items() if found} == {"events", "views", "figures", "intake", "ledger"}
    assert any("exact" in event for event in items["events"])
    assert all(event["id"] == f"{event['position']:06d}" for event in items["events"])


def test_every_stream_folds_to_the_same_job(opened: Opened) -> None:
    for job_id, job in JOBS.items():
        assert_same_job(_without_live(job), _without_live(opened.job(job_id)))
        assert [event["position"] for event in opened.events(job_id)] == list(range(1, job["position"] + 1))


def test_the_views_and_stats_are_reused_or_rebuilt(opened: Opened) -> None:
    if not opened.complete():
        opened.rebuild()
    _assert_views(opened)
    assert opened.rebuild() == sum(job["position"] for job in JOBS.values())
    _assert_views(opened)


def test_the_rejected_messages_and_the_ledger_are_the_same(opened: Opened) -> None:
    assert_holds(EXPECTED["intake"], opened.get("intake"), "intake")
    assert_holds(EXPECTED["ledger"], opened.ledger_json(), "ledger")


def _assert_views(opened: Opened) -> None:
    viewed = opened.viewed()
    assert [job["job_id"] for job in viewed] == EXPECTED["rebuilt"]
    for job in viewed:
        assert_same_job(_without_live(JOBS[job["job_id"]]), _without_live(job))
    lists = [[job["job_id"] for job in opened.pages(**query)] for query in recorded.LISTS]
    assert lists == EXPECTED["lists"]
    assert_holds(EXPECTED["rebuilt_figures"], opened.figures_json())


def _without_live(job: dict[str, Any]) -> dict[str, Any]:
    """Leave out the links, which a list does not have."""
    return {name: value for name, value in job.items() if name != "links"}
