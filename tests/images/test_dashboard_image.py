"""The dashboard's image beside a live host: locked down, reading the host's stores, opened by a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.host import ROOT, Host, running_host
from mayfly.cli.host_process import free_port
from tests.browser.conftest import picture
from tests.images.conftest import Image, Say
from tests.images.engine import Engine, EngineFailed
from tests.waiting import HANG_GUARD_S, until

_BROWSER_HANGS_AFTER_MS = 120_000
_CONTAINER = "dashboard"
_LOCKED_DOWN = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges")
_IMPORTS_EVERYTHING = """
import importlib, pkgutil, sys
import streamlit_dashboard
imported = []
for one in pkgutil.walk_packages(streamlit_dashboard.__path__, "streamlit_dashboard."):
    if not one.name.endswith((".__main__", ".app")):
        importlib.import_module(one.name)
        imported.append(one.name)
import mayfly.cosmos.account, mayfly.log.cosmos, mayfly.log.cosmos.stats, mayfly.views.cosmos
import mayfly.views.cosmos.stats, mayfly.credentials, azure.identity.aio, aiohttp
print(len(imported), *sorted(name for name in sys.modules if name.startswith("azure.functions")))
"""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A dashboard that a container serves."""

    url: str
    job_id: str


@pytest.fixture(scope="module")
def served(engine: Engine, dashboard_image: Image) -> Iterator[Served]:
    """Run a job on a live host, and the dashboard in a container over the same data folder."""
    with running_host(app=ROOT) as host:
        job_id = _run_a_job(host)
        _let_everybody_read(host.data)
        port = free_port()
        environment = {
            "MAYFLY_DATA": "/data",
            "MAYFLY_URL": f"http://127.0.0.1:{host.port}",
            "MAYFLY_KEY": host.key,
            "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
            "STREAMLIT_SERVER_PORT": str(port),
        }
        variables = [argument for name in environment for argument in ("--env", name)]
        options = ["--detach", "--name", _CONTAINER, "--volume", f"{host.data}:/data:ro", *_LOCKED_DOWN, *variables]
        engine.run("run", *options, dashboard_image.name, env=environment)
        try:
            _wait_until_healthy(engine)
            yield Served(url=f"http://127.0.0.1:{port}", job_id=job_id)
        finally:
            engine.remove_container(_CONTAINER)


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """Wait for the content of a page as long as a busy machine may need."""
    page.set_default_timeout(_BROWSER_HANGS_AFTER_MS)
    expect.set_options(timeout=_BROWSER_HANGS_AFTER_MS)
    yield page
    expect.set_options(timeout=None)


def test_the_board_shows_the_job_and_accepts_another(
    served: Served, page: Page, dashboard_image: Image, say: Say
) -> None:
    page.goto(served.url)
    expect(_card(page, "seen in the image").locator(".mf-badge")).to_have_text("succeeded")
    page.get_by_label("Add work").fill("from the image")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(_card(page, "from the image").locator(".mf-badge")).to_have_text("succeeded")
    _nothing_went_wrong(page)
    picture(page, "image-board")
    say(f"served the board from {dashboard_image.name}: Chromium saw {served.job_id} and added a job")


def test_every_page_renders(served: Served, page: Page, engine: Engine, dashboard_image: Image, say: Say) -> None:
    page.goto(f"{served.url}/submit")
    expect(page.get_by_text("Before you submit")).to_be_visible()
    _nothing_went_wrong(page)
    page.goto(f"{served.url}/job?job={served.job_id}")
    expect(page.locator(".mf-headline .mf-badge").first).to_have_text("succeeded")
    _nothing_went_wrong(page)
    page.goto(f"{served.url}/system")
    expect(page.get_by_role("heading", name="System")).to_be_visible()
    expect(page.get_by_text("Projector lag")).to_be_visible()
    expect(page.get_by_role("heading", name="Phase durations")).to_be_visible()
    expect(page.get_by_role("heading", name="Held jobs")).to_be_visible()
    _nothing_went_wrong(page)
    picture(page, "image-system")
    assert "Traceback" not in engine.logs(_CONTAINER)
    say(f"served submit, job and System from {dashboard_image.name}: no page shows an error")


def test_the_container_is_healthy_without_root_or_a_writable_file_system(served: Served, engine: Engine) -> None:
    assert engine.run("exec", _CONTAINER, "id", "-u").strip() == "10001"
    found = engine.inspect_container(_CONTAINER)
    assert found is not None
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert found["State"]["Running"]
    engine.run("healthcheck", "run", _CONTAINER)
    with pytest.raises(EngineFailed, match="Read-only file system"):
        engine.run("exec", "--user", "0", _CONTAINER, "mkdir", "/opt/mayfly/new")


def test_the_health_check_fails_if_nothing_is_served(engine: Engine, dashboard_image: Image) -> None:
    nowhere = f"STREAMLIT_SERVER_PORT={free_port()}"
    options = ["--detach", "--name", "serves-nothing", "--env", nowhere, "--entrypoint", "sleep"]
    engine.run("run", *options, dashboard_image.name, "infinity")
    with pytest.raises(EngineFailed, match="exited with code 1:"):
        engine.run("healthcheck", "run", "serves-nothing")
    engine.remove_container("serves-nothing")


def test_the_image_holds_every_module_that_it_imports_and_none_of_azure_functions(
    engine: Engine, dashboard_image: Image
) -> None:
    """With the stores of Cosmos DB, which are imported where the settings choose them."""
    options = ["--rm", "--interactive", "--entrypoint", "python"]
    printed = engine.run("run", *options, dashboard_image.name, "-", stdin=_IMPORTS_EVERYTHING)
    count, *functions = printed.split()
    assert int(count) > 20
    assert functions == []


def _run_a_job(host: Host) -> str:
    headers = {"x-functions-key": host.key}
    address = f"http://127.0.0.1:{host.port}/api"
    with httpx.Client(base_url=address, headers=headers, timeout=HANG_GUARD_S, trust_env=False) as client:
        job_id = str(client.post("/jobs", json={"name": "seen", "message": "seen in the image"}).json()["job_id"])
        until(lambda: client.get(f"/jobs/{job_id}").json()["state"] == "succeeded")
    return job_id


def _let_everybody_read(data: Path) -> None:
    """Open the stores to the container's user. SQLite gives the files that it adds the same permissions."""
    data.chmod(0o755)
    for path in data.glob("*.db*"):
        path.chmod(0o644)


def _wait_until_healthy(engine: Engine) -> None:
    def is_healthy() -> bool:
        with suppress(EngineFailed):
            engine.run("healthcheck", "run", _CONTAINER)
            return True
        found = engine.inspect_container(_CONTAINER)
        assert found is not None
        assert found["State"]["Running"], engine.logs(_CONTAINER)
        return False

    until(is_healthy, shown=lambda: engine.logs(_CONTAINER))


def _card(page: Page, text: str) -> Locator:
    return page.locator("[class*='st-key-card-']", has_text=text)


def _nothing_went_wrong(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
