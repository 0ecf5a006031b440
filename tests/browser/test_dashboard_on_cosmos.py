"""The dashboard over a Cosmos DB server: `mayfly up` with MAYFLY_STORE=cosmos, real jobs, a real browser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Up, picture, running_up
from tests.browser.test_dashboard import badge, opened
from tests.cosmos_server.server import KEY, running
from tests.waiting import until


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Run Mayfly with its stores in Cosmos DB. The server is its own: every app uses the one database `mayfly`."""
    with running() as server:
        settings = {
            "MAYFLY_STORE": "cosmos",
            "MAYFLY_COSMOS_ENDPOINT": server.endpoint,
            "MAYFLY_COSMOS_KEY": KEY,
            "MAYFLY_GROUPS_MAX": "2",
        }
        with running_up(tmp_path_factory.mktemp("up"), settings) as up:
            yield up


def _tile(page: Page, word: str) -> int:
    text = page.locator(".mf-tile", has_text=word).first.inner_text()
    return int(re.sub(r"\D", "", text))


def _metric(page: Page, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text()


def test_jobs_are_on_the_board_on_their_page_and_in_the_stats(up: Up, page: Page) -> None:
    opened(page, up.url)
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    page.get_by_label("Add work").fill("hello from a browser")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("[class*='st-key-card-']")).to_have_count(1)
    with up.api() as api:
        done = api.submit(
            {
                "command": ["sh", "-c", "echo one line; echo '::result {\"n\": 9007199254740993}'"],
                "labels": {"team": "web"},
            },
            idempotency_key=uuid.uuid4().hex,
        )
        failed = api.submit({"command": ["sh", "-c", "exit 7"]}, idempotency_key=uuid.uuid4().hex)
        until(lambda: {api.job(one).settled for one in (done, failed)} == {True})
        running_ones = [
            api.submit({"command": ["sleep", "600"], "name": f"sleeps-{n}"}, idempotency_key=uuid.uuid4().hex)
            for n in range(2)
        ]
        until(lambda: {api.job(one).state for one in running_ones} == {"running"})
        held = api.submit({"message": "no room"}, idempotency_key=uuid.uuid4().hex)
        until(lambda: api.job(held).held_reason is not None)
    expect(page.locator("[class*='st-key-card-']")).to_have_count(6)
    until(
        lambda: [_tile(page, word) for word in ("queued", "running", "succeeded", "failed")] == [1, 2, 2, 1],
    )
    assert _tile(page, "containers") == 2
    picture(page, "cosmos-board")

    opened(page, f"{up.url}/job?job={done}")
    badge(page, "succeeded")
    expect(page.get_by_text("one line").first).to_be_visible()
    expect(page.get_by_text("9007199254740993").first).to_be_visible()
    picture(page, "cosmos-job")

    opened(page, f"{up.url}/system")
    expect(page.get_by_text("Held jobs: 1")).to_be_visible()
    expect(page.get_by_text("2 of 2 container groups are in use")).to_be_visible()
    with up.api() as api:
        events = sum(1 for _ in api.all_events())
    until(lambda: _metric(page, "Projector lag") == "0 events")
    assert int(_metric(page, "Events in the log").replace(",", "")) >= events > 30
    for phase in ("queued", "starting", "running", "deleting"):
        expect(page.get_by_role("cell", name=phase, exact=True)).to_be_visible()
    picture(page, "cosmos-system")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_change_in_the_log_appears_on_the_open_page(up: Up, page: Page) -> None:
    opened(page, up.url)
    for number in range(3):
        text = f"seen {number} {uuid.uuid4().hex[:8]}"
        with up.api() as api:
            api.submit({"message": text}, idempotency_key=uuid.uuid4().hex)
        page.wait_for_selector(f"text={text}")


def test_the_filters_find_by_label_and_the_board_clears(up: Up, page: Page) -> None:
    opened(page, f"{up.url}/?label=team%3Dweb")
    expect(page.locator("[class*='st-key-card-']")).to_have_count(1)
    opened(page, up.url)
    page.get_by_role("button", name="Clear…").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel and archive").click()
    expect(page.get_by_text("The board is clear.")).to_be_visible()
    picture(page, "cosmos-board-cleared")
