"""The dashboard over a large store: cold load, server time of a refresh, memory per viewer, and append to pixel.

A real browser loads the pages on the same cores as the server, so the times are those of a viewer on a busy laptop.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from mayfly.cli.dashboard_process import start_dashboard
from mayfly.cli.host_process import LocalHost, free_port
from mayfly.jobs import commands as c
from mayfly.jobs import events as e
from mayfly.jobs.decide import decide, submit
from mayfly.jobs.events import Event, body_to_json
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Attempt, Job
from mayfly.jobs.names import job_id_for
from mayfly.jobs.spec import JobSpec
from mayfly.log.sqlite.event_log import SqliteEventLog
from mayfly.views.sqlite.job_views import SqliteJobViews

EVENTS_PER_JOB = 10
_SPREAD = timedelta(days=7)
_CLAIM = "a" * 32
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
_CARD = "[class*='st-key-card-']"


def over_a_large_store(jobs: int, *, loads: int = 7, refresh_s: float = 20.0, viewers: int = 8) -> dict[str, Any]:
    """Measure the board and the system page over that many jobs."""
    with tempfile.TemporaryDirectory(prefix="mayfly-bench-") as folder:
        data = Path(folder)
        fill(data, jobs)
        child = start_dashboard(data, "http://127.0.0.1:9", free_port())
        try:
            child.wait_until_ready()
            server = psutil.Process(child.process.pid)
            with _browser() as browser:
                _load_ms(browser, child.url)  # the first viewer of a server is not typical
                cold = [_load_ms(browser, child.url) for _ in range(loads)]
                result: dict[str, Any] = {
                    "jobs": jobs,
                    "events": jobs * EVENTS_PER_JOB,
                    "log_mb": (data / "log.db").stat().st_size / 1e6,
                    "board_cold_load_ms": statistics.median(cold),
                    "board_cold_load_ms_worst": max(cold),
                }
                with _new_jobs(data):
                    for name, path in {"board": "?window=7+d", "system": "system"}.items():
                        result[f"{name}_refresh_cpu_ms"] = _refresh_ms(
                            browser, server, f"{child.url}/{path}", refresh_s
                        )
                result["mb_per_viewer"] = _viewer_mb(browser, server, child.url, viewers)
                return result
        finally:
            child.stop()


def of_an_idle_board(jobs: int, *, measured_s: float = 20.0) -> dict[str, Any]:
    """Measure the cost of an open board on which nothing changes, because every job is settled."""
    with tempfile.TemporaryDirectory(prefix="mayfly-bench-") as folder:
        fill(Path(folder), jobs, settled=True)
        child = start_dashboard(Path(folder), "http://127.0.0.1:9", free_port())
        try:
            child.wait_until_ready()
            server = psutil.Process(child.process.pid)
            with _browser() as browser:
                return {"idle_board_cpu_ms": _refresh_ms(browser, server, child.url, measured_s)}
        finally:
            child.stop()


def append_to_pixel(samples: int) -> dict[str, Any]:
    """Measure the time from the append of an event until the open board shows it, in a complete installation."""
    with tempfile.TemporaryDirectory(prefix="mayfly-bench-") as folder:
        data = Path(folder)
        host = LocalHost(data, free_port(), log=data / "host.log", clean_settings=True)
        children = [host.start(), start_dashboard(data, host.url, free_port())]
        try:
            for child in children:
                child.wait_until_ready()
            taken = []
            with _browser() as browser, host.api() as api:
                page = browser.new_page()
                page.goto(children[1].url)
                page.wait_for_selector(".mf-who")
                for _ in range(samples):
                    text = uuid.uuid4().hex
                    job_id = api.submit({"command": ["true", text]}, idempotency_key=text)
                    page.wait_for_selector(f"text={text}")
                    seen = datetime.now(UTC)
                    taken.append((seen - api.job(job_id).submitted_at).total_seconds() * 1_000)
            return {"append_to_pixel_ms": statistics.median(taken), "append_to_pixel_ms_worst": max(taken)}
        finally:
            for child in reversed(children):
                child.stop()


def fill(data: Path, jobs: int, *, settled: bool = False) -> None:
    """Write a log and its views like those of a host after a week, as copies of ten job streams.

    `settled`: no job is open.
    """
    samples = [_stream(number) for number in range(1 if settled else 0, 10)]
    log = SqliteEventLog(data / "log.db")  # creates the schema
    asyncio.run(log.close())
    connection = sqlite3.connect(data / "log.db", isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    views = SqliteJobViews(data / "views.db")
    begun = datetime.now(UTC) - _SPREAD
    insert = (
        "INSERT INTO log (job_id, position, type, at, attempt, source, data, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    for start in range(0, jobs, 1_000):
        rows: list[Sequence[object]] = []
        folded: list[Job] = []
        for number in range(start, min(start + 1_000, jobs)):
            stream, job, texts = samples[number % len(samples)]
            job_id = job_id_for(seed=str(number).encode())
            later = begun + _SPREAD * number / jobs - job.submitted_at
            rows += [
                (job_id, e.position, e.type, (e.at + later).isoformat(), e.attempt, e.source, text, e.version)
                for e, text in zip(stream, texts, strict=True)
            ]
            folded.append(_moved(job, job_id, later))
        connection.execute("BEGIN")
        connection.executemany(insert, rows)
        connection.execute("COMMIT")
        asyncio.run(views.save(folded))
    connection.close()
    asyncio.run(views.note_complete())
    asyncio.run(views.close())


@contextmanager
def _new_jobs(data: Path) -> Iterator[None]:
    """Add a finished job twice a second, so that each refresh finds a change."""
    over = threading.Event()

    async def add_jobs() -> None:
        log, views = SqliteEventLog(data / "log.db"), SqliteJobViews(data / "views.db")
        stream, job, _ = _stream(9)
        number = 0
        while not over.is_set():
            number += 1
            job_id = job_id_for(seed=f"new {number}".encode())
            later = datetime.now(UTC) - job.submitted_at
            await log.append(
                [replace(e, job_id=job_id, at=e.at + later) for e in stream],
                expected_position=0,
            )
            await views.save([_moved(job, job_id, later)])
            await asyncio.to_thread(over.wait, 0.5)
        await log.close()
        await views.close()

    writer = threading.Thread(target=lambda: asyncio.run(add_jobs()))
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def _stream(number: int) -> tuple[list[Event], Job, list[str]]:
    """Return a stream of ten events. Of ten jobs, one is running, two failed, and seven succeeded."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    spec = JobSpec(message=f"job {number}", labels={"team": f"t{number}"})
    stream = [*submit(c.SubmitJob(job_id="ada-abcdefghij", spec=spec, source="http"), at).events]
    ends: list[c.Command] = [
        c.ReportWork(
            attempt=1, claim=_CLAIM, body=e.WorkerSucceeded(result={"n": number}, exit_code=0, output_tail="done\n")
        )
        if number > 2
        else c.ReportWork(
            attempt=1, claim=_CLAIM, body=e.WorkerFailed(error="exit", message="no", exit_code=1, output_tail="no\n")
        ),
        c.RequestDelete(attempt=1, log_text="done\n"),
        c.ConfirmGone(attempt=1),
    ]
    progress = [
        c.ReportWork(
            attempt=1, claim=_CLAIM, body=e.WorkerProgressed(sequence=n + 1, fraction=n / 9, message=f"part {n}")
        )
        for n in range(2 if number else 7)
    ]
    for command in [
        c.RequestContainer(place="local"),
        c.ClaimAttempt(attempt=1, claim=_CLAIM),
        *progress,
        *(ends if number else []),
    ]:
        at += timedelta(milliseconds=300)
        stream += decide(_folded(stream), command, at).events
    assert len(stream) == EVENTS_PER_JOB, len(stream)
    return stream, _folded(stream), [body_to_json(event.body) for event in stream]


def _folded(stream: Sequence[Event]) -> Job:
    job = fold(stream)
    assert job is not None
    return job


def _moved(job: Job, job_id: str, later: timedelta) -> Job:
    def moved(attempt: Attempt) -> Attempt:
        times = ("requested_at", "claimed_at", "started_at", "ended_at", "delete_requested_at", "gone_at")
        changes = {name: at + later for name in times if (at := getattr(attempt, name)) is not None}
        return replace(attempt, group=f"{job_id}-1-local", **changes)

    return replace(
        job,
        job_id=job_id,
        submitted_at=job.submitted_at + later,
        updated_at=job.updated_at + later,
        ended_at=job.ended_at + later if job.ended_at else None,
        attempts=tuple(map(moved, job.attempts)),
    )


@contextmanager
def _browser() -> Iterator[Browser]:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        raise RuntimeError("this part needs a browser; install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=_FLAGS)
        yield browser
        browser.close()


def _load_ms(browser: Browser, url: str) -> float:
    """Load the board with an empty cache until it shows cards and its text box accepts input."""
    context = browser.new_context()
    page = context.new_page()
    began = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(_CARD)
    page.get_by_label("Add work").fill("x")
    taken = (time.monotonic() - began) * 1_000
    context.close()
    return taken


def _refresh_ms(browser: Browser, server: psutil.Process, url: str, seconds: float) -> float:
    """Return the server's CPU time per refresh of an open page, including the network."""
    context = browser.new_context()
    page = context.new_page()
    requests = _RequestCounter(page)
    page.goto(url)
    page.wait_for_selector(".mf-who")
    page.wait_for_timeout(3_000)
    before, requests.count = _cpu_s(server), 0
    page.wait_for_timeout(seconds * 1_000)
    taken = (_cpu_s(server) - before) * 1_000 / max(1, requests.count)
    context.close()
    return taken


class _RequestCounter:
    """Counts the requests of a loaded page, which are its refreshes."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.on("websocket", lambda socket: socket.on("framesent", self._add))

    def _add(self, _: object) -> None:
        self.count += 1


def _viewer_mb(browser: Browser, server: psutil.Process, url: str, viewers: int) -> float:
    """Return how much the server's unique memory grows per viewer of the board."""
    context = browser.new_context()
    pages = [context.new_page()]
    pages[0].goto(url)
    pages[0].wait_for_selector(_CARD)
    time.sleep(5)
    before = server.memory_full_info().uss
    for _ in range(viewers):
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector(_CARD)
        pages.append(page)
    time.sleep(10)
    grown = server.memory_full_info().uss - before
    context.close()
    return float(grown / viewers / 1e6)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
