"""Take the README's pictures: `make pictures`, or `python -m tests.browser.pictures`.

It runs `mayfly up`, submits jobs that end in different ways, and photographs the board and the page of one job in
Chromium. The pictures are committed, so run it after a change that shows.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import textwrap
import uuid
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from mayfly.client.api import Api
from tests.browser.conftest import BROWSERS, FLAGS, ROOT, running_up
from tests.programs import write_python_program
from tests.waiting import HANG_GUARD_MS, until

IMAGES = ROOT / "docs" / "images"
BYTES_MAX = 300_000
"""Of one picture, because each is loaded with the README."""
_WIDTH = 1440
_GROUPS_MAX = 3
"""Local containers at a time: the job that comes fourth is held."""


_PROGRAMS = {
    "train-model": """\
        import json, math, time
        blocks = []
        for epoch in range(1, 13):
            loss = 0.9 / epoch + 0.05
            print(f"epoch {epoch:2}/12  loss {loss:.4f}  accuracy {1 - loss / 2:.4f}")
            print(f"::progress {epoch / 12:.2f} epoch {epoch} of 12")
            blocks.append(bytes(6_000_000))
            for n in range(1_500_000):
                math.sqrt(n)
            time.sleep(0.5)
        print("::result " + json.dumps({"epochs": 12, "loss": 0.125, "accuracy": 0.9375}))
        """,
    "import-orders": "print('row 17: price is not a number'); raise SystemExit(3)",
    "transcode": "import time; print('pass 1 of 2'); time.sleep(600)",
    "make-thumbnails": """print('::result {"images": 128, "failed": 0}')""",
    "build-report": """print('::result "report-0731.pdf"')""",
    "reindex": "import time; print('::progress 0.62 shard 5 of 8'); time.sleep(600)",
    "backup": "import time; print('::progress 0.15 photos/2026'); time.sleep(600)",
    "export-orders": "pass",
}
"""Name and Python code; they are on the PATH of the jobs, so that the pictures show commands and not code."""
_ONCE = {"max_attempts": 1}
_ENDED: list[dict[str, Any]] = [
    {"name": "orders", "command": ["import-orders", "july.csv"], "labels": {"team": "data"}, "retry": _ONCE},
    {"name": "transcode", "command": ["transcode", "talk.mov"], "labels": {"team": "web"}, "run_timeout_s": 2,
     "retry": _ONCE},
    {"name": "thumbnails", "command": ["make-thumbnails", "--size", "320"], "labels": {"team": "web"}},
    {"name": "nightly", "command": ["build-report", "--month", "7"], "labels": {"team": "data"}},
]  # fmt: skip
_OPEN: list[dict[str, Any]] = [
    {"name": "search", "command": ["reindex", "--shards", "8"], "labels": {"team": "search"}},
    {"name": "backup", "command": ["backup", "photos"], "labels": {"team": "web"}},
]
_TRAIN: dict[str, Any] = {
    "name": "train",
    "command": ["train-model", "--epochs", "12"],
    "labels": {"team": "search"},
    "memory_gb": 2,
}
_HELD: dict[str, Any] = {"name": "export", "command": ["export-orders", "july"], "labels": {"team": "data"}}


def main() -> None:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        sys.exit(f"no browser was found: install one of {', '.join(BROWSERS)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mayfly-pictures-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        context = browser.new_context(
            viewport={"width": _WIDTH, "height": 880}, color_scheme="light", timezone_id="America/Los_Angeles"
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        programs = _install(Path(folder) / "bin")
        settings = {"MAYFLY_GROUPS_MAX": str(_GROUPS_MAX), "PATH": f"{programs}:{os.environ['PATH']}"}
        data = Path(folder) / "data"
        data.mkdir()
        with running_up(data, settings) as up:
            api = up.api()
            training = _fill(api)
            page.goto(up.url)
            expect(page.locator(".mf-card").first).to_be_visible()
            page.get_by_text("1 h", exact=True).click()
            expect(page.get_by_text("shard 5 of 8")).to_be_visible(timeout=HANG_GUARD_MS)
            expect(page.get_by_text("epoch 4 of 12")).to_be_visible(timeout=HANG_GUARD_MS)
            _photograph(page, "board")
            until(lambda: api.job(training).settled)
            page.goto(f"{up.url}/job?job={training}")
            expect(page.locator(".mf-log")).to_contain_text("epoch 12/12", timeout=HANG_GUARD_MS)
            _photograph(page, "job")
        browser.close()


def _install(folder: Path) -> Path:
    """Write the programs that the jobs run, and return their folder."""
    folder.mkdir()
    for name, code in _PROGRAMS.items():
        write_python_program(folder / name, textwrap.dedent(code))
    return folder


def _fill(api: Api) -> str:
    """Submit the jobs and return the id of the one whose page is shown."""
    ended = [_submit(api, spec) for spec in _ENDED]
    until(lambda: all(api.job(job_id).settled for job_id in ended))
    for spec in _OPEN:
        _submit(api, spec)
    training = _submit(api, _TRAIN)
    until(lambda: api.job(training).state == "running")
    _submit(api, _HELD)
    return training


def _submit(api: Api, spec: dict[str, Any]) -> str:
    return api.submit(spec, idempotency_key=str(uuid.uuid4()))


def _photograph(page: Page, name: str) -> None:
    """Write docs/images/NAME.png once the page is quiet."""
    page.wait_for_timeout(1_500)  # charts are drawn after the text, and no element says when
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {size // 1000} KB")
    if size > BYTES_MAX:
        sys.exit(f"{path.name} is larger than {BYTES_MAX // 1000} KB: choose a smaller part of the page")


if __name__ == "__main__":
    main()
