"""A whole Mayfly and a real browser in front of it: host and dashboard as `mayfly up` starts them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from drills.orphans import kill_jobs
from mayfly.cli.host_process import free_port
from mayfly.client.api import Api
from mayfly.client.connection import local_key
from tests.waiting import HANG_GUARD_MS, HANG_GUARD_S, until

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts"
"""The folder for screenshots; git ignores it, and CI keeps it."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=HANG_GUARD_MS)


@dataclass(kw_only=True)
class Up:
    """A running `mayfly up`."""

    url: str
    api_url: str
    data: Path

    def api(self) -> Api:
        return Api(self.api_url, local_key(self.data))


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Run Mayfly with its dashboard for all tests of a module."""
    with running_up(tmp_path_factory.mktemp("up")) as up:
        yield up


@contextmanager
def running_up(data: Path, settings: dict[str, str] | None = None) -> Iterator[Up]:
    """Run `mayfly up` with only these settings."""
    port, dashboard_port = free_port(), free_port()
    command = [sys.executable, "-m", "mayfly", "up", "--data", str(data), "--port", str(port)]
    with (data / "up.log").open("wb") as log:
        child = subprocess.Popen(
            [*command, "--dashboard-port", str(dashboard_port)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env=_environment() | (settings or {}),
        )
    up = Up(url=f"http://127.0.0.1:{dashboard_port}", api_url=f"http://127.0.0.1:{port}", data=data)
    try:
        until(lambda: child.poll() is not None or "Mayfly is up" in (data / "up.log").read_text())
        assert child.poll() is None, (data / "up.log").read_text()
        yield up
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(HANG_GUARD_S)
        kill_jobs(data)  # they outlive their host, as they should


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the system's browser, or skip with a reason; CI must have one.

    One per module, because Playwright occupies this thread's event loop while it runs, and other tests need theirs.
    """
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        reason = f"no browser was found: install one of {', '.join(BROWSERS)}"
        if os.environ.get("MAYFLY_CI") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a window of a viewer in Berlin."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, timezone_id="Europe/Berlin")
    context.set_default_timeout(HANG_GUARD_MS)
    yield context.new_page()
    context.close()


def drawn(page: Page) -> None:
    """Wait until the page is complete: its script has ended, and the charts, which come last, exist."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def picture(page: Page, name: str) -> None:
    """Save a screenshot of the page once it is complete."""
    drawn(page)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MAYFLY_")}
