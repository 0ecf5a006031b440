"""The actions of a person on the dashboard, in a real browser against a whole Mayfly."""

from __future__ import annotations

import re
import shlex
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mayfly.cli.host_process import LocalHost
from mayfly.client.api import Api
from tests.browser.conftest import Up, drawn, picture, running_up
from tests.waiting import HANG_GUARD_MS, Gate, gate_at, until

_GROUPS_MAX = 4
_POLLS = 6
"""This many polls of the board in a row find no change, ..."""
_TRIES = 10
"""... in one of this many tries, because the board is redrawn every minute."""
_POLL_BYTES_MAX = 3_000
"""Upper bound of the bytes that a poll sends; a redraw sends many times that."""
_COUNT_CHANGES = """() => {
    window.changes = 0;
    new MutationObserver(found => { window.changes += found.length; }).observe(
        document.querySelector("[data-testid=stMain]"), {childList: true, characterData: true, subtree: true});
}"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Run Mayfly with its dashboard for all tests of this module, with room for a few containers."""
    with running_up(tmp_path_factory.mktemp("up"), {"MAYFLY_GROUPS_MAX": str(_GROUPS_MAX)}) as up:
        yield up


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with gate_at(tmp_path / "gate") as gate:
        yield gate


def badge(page: Page, word: str) -> None:
    expect(page.locator(".mf-headline .mf-badge").first).to_have_text(word)


def opened(page: Page, address: str) -> None:
    """Go to an address and wait until its page is there."""
    page.goto(address)
    page.wait_for_selector(".mf-who")


def test_a_job_from_the_form_to_its_result(up: Up, page: Page, gate: Gate) -> None:
    steps = [f"echo ::progress 0.{n} counting {n}; echo line {n}; {gate.wait}" for n in (1, 2)]
    script = "; ".join([*steps, "echo line 3", """echo '::result {"sum": 28}'"""])
    opened(page, f"{up.url}/submit")
    page.get_by_role("radio", name="Command").click()
    command = page.get_by_label("Command", exact=True).last
    command.fill(shlex.join(["sh", "-c", script]))
    command.blur()
    page.get_by_role("textbox", name="Name").fill("counting")
    page.get_by_role("textbox", name="Name").blur()
    expect(page.get_by_text("Ready to run.")).to_be_visible()
    expect(page.get_by_text("free", exact=True).first).to_be_visible()
    picture(page, "submit")
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Submit")).click()

    page.wait_for_url("**/job?job=*")
    badge(page, "running")
    log = page.locator(".mf-log")
    expect(log).to_contain_text("line 1")
    before = len(log.inner_text())
    gate.let_pass()
    expect(log).to_contain_text("line 2")
    assert len(log.inner_text()) > before
    expect(page.get_by_role("progressbar").first).to_be_visible()
    picture(page, "job-running")
    gate.let_pass()
    badge(page, "succeeded")
    expect(page.get_by_test_id("stMetricValue")).to_have_text("28")
    expect(log).to_contain_text("line 3")
    picture(page, "job-succeeded")

    # By its link alone, for another viewer.
    link = page.url
    other = page.context.new_page()
    opened(other, link)
    expect(other.locator(".mf-headline h2")).to_contain_text("counting")
    expect(other.get_by_test_id("stMetricValue")).to_have_text("28")

    # Any moment of the job.
    other.get_by_role("tab", name="Events").click()
    slider = other.get_by_role("slider", name="Position in the stream")
    slider.focus()
    slider.press("Home")
    moment = other.locator(".st-key-moment")
    expect(moment).to_contain_text("After event 1")
    expect(moment.locator(".mf-badge")).to_have_text("queued")
    slider.press("ArrowRight")
    expect(moment).to_contain_text("After event 2")
    expect(moment.locator(".mf-badge")).to_have_text("starting")
    picture(other, "job-at-event-2")

    # Times are in the viewer's time zone; UTC is on hover.
    time_shown = other.locator(".mf-facts time").first
    utc, local = time_shown.get_attribute("title") or "", time_shown.inner_text()
    assert "UTC" in utc
    assert utc[11:16] not in local


def test_input_survives_a_rerun_of_the_page(up: Up, page: Page) -> None:
    opened(page, f"{up.url}/submit")
    message, name = page.get_by_label("Message", exact=True).last, page.get_by_role("textbox", name="Name")
    for number in range(3):
        message.fill(f"something to do {number}")
        name.fill("")
        name.press_sequentially("quick-typist", delay=40)  # leaving the message reruns the page while this is typed
        expect(page.get_by_text("Ready to run.")).to_be_visible()
        expect(name).to_have_value("quick-typist")
    page.get_by_role("link", name="System").click()
    expect(page.get_by_role("heading", name="System")).to_be_visible()
    page.get_by_role("link", name="Submit").click()
    expect(name).to_have_value("quick-typist")
    expect(message).to_have_value("something to do 2")


def test_a_job_added_on_the_board_is_shown_while_it_waits_and_then_done(up: Up, page: Page) -> None:
    with up.api() as api:
        sleepers = [
            api.submit({"command": ["sleep", "86400"]}, idempotency_key=uuid.uuid4().hex) for _ in range(_GROUPS_MAX)
        ]
        until(lambda: {api.job(one).state for one in sleepers} == {"running"})
        opened(page, up.url)
        page.get_by_label("Add work").fill("from the board")
        page.get_by_role("button", name="Add", exact=True).click()
        card = page.locator("[class*='st-key-card-']", has_text="from the board")
        expect(card.locator(".mf-badge")).to_have_text("queued")
        for one in sleepers:
            api.cancel(one)
    expect(card.locator(".mf-badge")).to_have_text("succeeded")
    expect(page.get_by_label("Add work")).to_have_value("")


def test_a_change_in_the_log_appears_on_the_open_page(up: Up, page: Page) -> None:
    opened(page, up.url)
    for number in range(3):
        text = f"seen {number} {uuid.uuid4().hex[:8]}"
        with up.api() as api:
            api.submit({"message": text, "env": {"MAYFLY_WORK_SECONDS": "1"}}, idempotency_key=uuid.uuid4().hex)
        page.wait_for_selector(f"text={text}")


def test_an_idle_board_is_not_redrawn_and_a_change_still_shows(up: Up, page: Page) -> None:
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sent.append(len(frame))))
    with up.api() as api:
        until(lambda: all(job.settled for job in api.jobs()))
        opened(page, up.url)
        drawn(page)
        windows: list[tuple[int, int]] = []
        while not any(changes == 0 and most <= _POLL_BYTES_MAX for changes, most in windows):
            assert len(windows) < _TRIES, windows
            windows.append(_some_polls(page, sent))
        _submit_and_see(api, page, text := uuid.uuid4().hex)
        card = page.locator("[class*='st-key-card-']", has_text=text)
        expect(card.locator(".mf-badge")).to_have_text("succeeded")

        # A dialog stays open over a board that is redrawn as a whole, until it is closed.
        page.get_by_role("button", name="Clear…").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        _submit_and_see(api, page, f"another {text}")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        _submit_and_see(api, page, f"yet another {text}")
        expect(dialog).to_have_count(0)


def _some_polls(page: Page, sent: list[int]) -> tuple[int, int]:
    """Wait for some polls of the page; return the number of changes in that time and the size of the largest answer."""
    page.evaluate(_COUNT_CHANGES)
    sent.clear()
    while len(sent) < _POLLS:
        page.wait_for_timeout(100)  # which is when frames are noted
    return page.evaluate("window.changes"), max(sent)


def _submit_and_see(api: Api, page: Page, message: str) -> None:
    api.submit({"message": message, "env": {"MAYFLY_WORK_SECONDS": "0"}}, idempotency_key=message)
    page.wait_for_selector(f"text={message}")


def test_the_chart_and_the_boxes_of_a_live_board_stay_the_same_elements(up: Up, page: Page) -> None:
    """Live without flicker: elements that are redrawn each second are updated, not replaced."""
    with up.api() as api:
        job_id = api.submit({"command": ["sleep", "86400"], "name": "steady"}, idempotency_key=uuid.uuid4().hex)
        opened(page, up.url)
        card = page.locator(f"[class*='st-key-card-'][class*='{job_id}']")
        expect(card.locator(".mf-badge")).to_have_text("running")
        drawn(page)
        page.get_by_label("Add work").fill("half a sentence")
        for selector in (".mf-bars", f"[class*='{job_id}']", ".st-key-grid"):
            page.locator(selector).first.evaluate("element => element.setAttribute('data-same', 'yes')")
        for _ in range(3):
            before = card.inner_text()
            until(lambda before=before: card.inner_text() != before)  # type: ignore[misc] # its duration grows
        expect(page.locator("[data-same=yes]")).to_have_count(3)
        expect(page.get_by_label("Add work")).to_have_value("half a sentence")
        api.cancel(job_id)


def test_cancel_from_its_page(up: Up, page: Page) -> None:
    with up.api() as api:
        job_id = api.submit({"command": ["sleep", "600"], "name": "sleeper"}, idempotency_key=uuid.uuid4().hex)
    opened(page, f"{up.url}/job?job={job_id}")
    badge(page, "running")
    page.get_by_role("button", name="Cancel").click()
    badge(page, "canceled")
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    picture(page, "job-canceled")


def test_a_card_is_reached_and_opened_by_the_keyboard(up: Up, page: Page) -> None:
    with up.api() as api:
        job_id = api.submit({"command": ["true"], "name": "by-key"}, idempotency_key=uuid.uuid4().hex)
    opened(page, up.url)
    link = page.get_by_role("link", name=re.compile(job_id))
    expect(link).to_be_visible()
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/job?job={job_id}")
    badge(page, "succeeded")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_in_both_themes_at_both_widths(up: Up, browser: Browser, scheme: str, width: int) -> None:
    """Nothing is wider than the window, and no page shows an exception."""
    with up.api() as api:
        job_id = next(iter(api.jobs(limit=1))).job_id
    context = browser.new_context(
        viewport={"width": width, "height": 1_400},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(HANG_GUARD_MS)
    page = context.new_page()
    for name, address in {
        "board": "",
        "table": "?layout=table",
        "submit": "submit",
        "job": f"job?job={job_id}",
        "system": "system",
    }.items():
        opened(page, f"{up.url}/{address}")
        drawn(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} is {wide} px wider than the window"
        picture(page, f"{name}-{scheme}-{width}")
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    shade = sum(map(int, re.findall(r"\d+", ground)[:3]))
    assert (shade < 384) == (scheme == "dark")
    context.close()


def test_the_page_stays_up_without_the_store_and_recovers(up: Up, page: Page) -> None:
    opened(page, up.url)
    expect(page.locator(".mf-tiles")).to_be_visible()
    moved = [(path, path.with_name(f"away-{path.name}")) for path in up.data.glob("views.db")]
    for here, away in moved:
        here.rename(away)
    expect(page.get_by_text("The board could not be read")).to_be_visible()
    expect(page.get_by_text("This page retries automatically.")).to_be_visible()
    picture(page, "board-without-store")
    for here, away in moved:
        away.rename(here)
    expect(page.get_by_text("The board could not be read")).to_have_count(0)
    expect(page.locator(".mf-tiles")).to_be_visible()


def test_the_page_stays_up_without_the_api_and_recovers(page: Page, tmp_path: Path) -> None:
    from mayfly.cli.dashboard_process import start_dashboard
    from mayfly.cli.host_process import free_port

    host = LocalHost(tmp_path, free_port(), log=tmp_path / "host.log", clean_settings=True)
    running, shown = host.start(), start_dashboard(tmp_path, host.url, free_port())
    try:
        running.wait_until_ready()
        shown.wait_until_ready()
        opened(page, f"{shown.url}/system")
        expect(page.get_by_text("does not answer or is unhealthy")).to_have_count(0)
        running.stop()
        expect(page.get_by_text("does not answer or is unhealthy")).to_be_visible()
        picture(page, "system-without-api")
        running = host.start()
        running.wait_until_ready()
        expect(page.get_by_text("does not answer or is unhealthy")).to_have_count(0)
    finally:
        shown.stop()
        running.stop()


def test_clear_shows_what_it_will_do_and_does_it(up: Up, page: Page) -> None:
    with up.api() as api:
        api.submit({"command": ["sleep", "600"], "name": "to-clear"}, idempotency_key=uuid.uuid4().hex)
    opened(page, up.url)
    expect(page.locator("[class*='st-key-card-']").first).to_be_visible()
    page.get_by_role("button", name="Clear…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nothing is erased")
    picture(page, "clear")
    dialog.get_by_role("button", name="Cancel and archive").click()
    expect(page.get_by_text("The board is clear.")).to_be_visible()
    expect(dialog).to_have_count(0)
    picture(page, "board-empty")
