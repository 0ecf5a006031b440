"""The whole engine with free containers: submit over HTTP, run, report over HTTP, delete."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from benchmarks.host import ROOT, Host, running_host
from benchmarks.http_load import Client

_CONNECTIONS = 16
_WORKER_CONNECTIONS = 256


class _Workers:
    """Acts as every worker: claims and finishes each attempt as soon as its container would exist."""

    def __init__(self, client: Client, *, finish: bool) -> None:
        self.client = client
        self.finish = finish
        self.parked: list[tuple[dict[str, Any], str]] = []
        self.claimed = 0
        self.deleted = 0
        self.latencies_ms: list[float] = []
        self.moved = asyncio.Condition()
        self._accepted_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read messages of the runtime until it disconnects."""
        while line := await reader.readline():
            message = json.loads(line)
            if message["event"] == "created":
                task = asyncio.create_task(self._work(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                await self._note_deleted(message)
        writer.close()

    async def _work(self, created: dict[str, Any]) -> None:
        claim = secrets.token_hex(16)
        await self._report(created, {"type": "started", "claim": claim})
        async with self.moved:
            self.claimed += 1
            self.moved.notify_all()
        if self.finish:
            await self.end(created, claim)
        else:
            self.parked.append((created, claim))

    async def end(self, created: dict[str, Any], claim: str) -> None:
        """Report success."""
        await self._report(
            created,
            {
                "type": "finished",
                "claim": claim,
                "outcome": "succeeded",
                "exit_code": 0,
                "result": {"sum": 42},
                "output_tail": "done\n",
                "usage": {"cpu_s": 0.01, "memory_peak_bytes": 1_000_000},
            },
        )
        self._accepted_at[created["job_id"]] = time.monotonic()

    async def _report(self, created: dict[str, Any], document: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {created['token']}"}
        answer = await self.client.call("POST", created["url"], headers=headers, document=document)
        if answer.status != 202:
            raise RuntimeError(f"a report was answered with {answer.status}: {answer.body!r}")

    async def _note_deleted(self, message: dict[str, Any]) -> None:
        # The delete can be requested before we receive the answer to the report. That counts as no wait.
        accepted = self._accepted_at.get(message["group"].rsplit("-", 2)[0], message["at"])
        self.latencies_ms.append(max(message["at"] - accepted, 0.0) * 1_000)
        async with self.moved:
            self.deleted += 1
            self.moved.notify_all()


async def _until(workers: _Workers, reached: Callable[[], bool]) -> None:
    async with workers.moved:
        await asyncio.wait_for(workers.moved.wait_for(reached), 600)


async def _submit(host: Host, client: Client, number: int, latencies_ms: list[float]) -> None:
    began = time.monotonic()
    answer = await client.call(
        "POST",
        f"http://127.0.0.1:{host.port}/api/jobs",
        headers={"x-functions-key": host.key},
        document={"message": f"job {number}", "labels": {"run": "benchmark"}},
    )
    latencies_ms.append((time.monotonic() - began) * 1_000)
    if answer.status != 202:
        raise RuntimeError(f"a job was answered with {answer.status}: {answer.body!r}")


async def _with_host(measure: Callable[[Host, Client, _Workers], Any], *, finish: bool = True) -> Any:
    with tempfile.TemporaryDirectory(prefix="mayfly-bench-") as folder:
        address = str(Path(folder) / "socket")
        workers: list[_Workers] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await workers[0].serve(reader, writer)

        server = await asyncio.start_unix_server(serve, address)
        environment = {"MAYFLY_BENCHMARK_SOCKET": address, "MAYFLY_GROUPS_MAX": "1000000"}
        opening = running_host(app=ROOT / "benchmarks" / "free_app", environment=environment)
        # The host connects to us while it starts, so another thread starts and stops it.
        client: Client | None = None
        workers.append(_Workers(Client(0, connections=1), finish=finish))
        host = await asyncio.to_thread(opening.__enter__)
        try:
            client = Client(host.port, connections=_CONNECTIONS)
            # Workers have separate connections, so that their reports do not queue behind submissions.
            workers[0].client = Client(host.port, connections=_WORKER_CONNECTIONS)
            return await measure(host, client, workers[0])
        finally:
            if client is not None:
                await client.close()
            await workers[0].client.close()
            await asyncio.to_thread(opening.__exit__, None, None, None)
            server.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), 1)


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of the values is below."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def throughput(jobs: int) -> dict[str, Any]:
    """Submit all jobs at once and wait until the delete of every container is requested."""

    async def measure(host: Host, client: Client, workers: _Workers) -> dict[str, Any]:
        submits: list[float] = []
        began, cpu = time.monotonic(), host.cpu_s()
        await asyncio.gather(*(_submit(host, client, number, submits) for number in range(jobs)))
        await _until(workers, lambda: workers.deleted >= jobs)
        seconds = time.monotonic() - began
        await _until_settled(host, jobs)
        cpu = host.cpu_s() - cpu
        counts = _counts(host, jobs)
        return {
            "jobs": jobs,
            "jobs_per_s": jobs / seconds,
            "host_cpu_ms_per_job": cpu / jobs * 1_000,
            "host_memory_peak_mb": host.memory_peak_bytes() / 1e6,
            **counts,
        }

    result: dict[str, Any] = asyncio.run(_with_host(measure))
    return result


def latency(jobs: int, *, in_flight: int) -> dict[str, Any]:
    """Keep a number of jobs in flight and measure single steps."""

    async def measure(host: Host, client: Client, workers: _Workers) -> dict[str, Any]:
        submits: list[float] = []
        for number in range(jobs):
            await _until(workers, lambda n=number: n - workers.deleted < in_flight)  # type: ignore[misc]
            await _submit(host, client, number, submits)
        await _until(workers, lambda: workers.deleted >= jobs)
        return {
            "jobs": jobs,
            "in_flight": in_flight,
            "report_to_delete_ms": {
                "p50": statistics.median(workers.latencies_ms),
                "p99": percentile(workers.latencies_ms, 0.99),
            },
            "submit_ms": {"p50": statistics.median(submits), "p99": percentile(submits, 0.99)},
        }

    result: dict[str, Any] = asyncio.run(_with_host(measure))
    return result


def parked(jobs: int) -> dict[str, Any]:
    """Let jobs wait for the reports of their workers, then finish all of them."""

    async def measure(host: Host, client: Client, workers: _Workers) -> dict[str, Any]:
        submits: list[float] = []
        warm = 200
        await asyncio.gather(*(_submit(host, client, number, submits) for number in range(warm)))
        await _until(workers, lambda: workers.claimed >= warm)
        before, threads = host.memory_bytes(), host.process.num_threads()
        await asyncio.gather(*(_submit(host, client, number, submits) for number in range(jobs)))
        await _until(workers, lambda: workers.claimed >= jobs + warm)
        cpu, began = host.cpu_s(), time.monotonic()
        await asyncio.sleep(5)
        busy = (host.cpu_s() - cpu) / (time.monotonic() - began)
        memory = host.memory_bytes() - before
        extra_threads = host.process.num_threads() - threads
        began = time.monotonic()
        await asyncio.gather(*(workers.end(created, claim) for created, claim in workers.parked))
        await _until(workers, lambda: workers.deleted >= jobs + warm)
        return {
            "jobs": jobs,
            "memory_bytes_per_waiting_job": memory / jobs,
            "extra_threads": extra_threads,
            "cpu_share_while_waiting": busy,
            "woken_per_s": (jobs + warm) / (time.monotonic() - began),
        }

    result: dict[str, Any] = asyncio.run(_with_host(measure, finish=False))
    return result


async def _until_settled(host: Host, jobs: int) -> None:
    """Wait until every job is settled in the views, so that the work of the projector is counted."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(f"file:{host.data / 'views.db'}?mode=ro", uri=True)) as views:
            if views.execute("SELECT count(*) FROM jobs WHERE settled = 1").fetchone()[0] >= jobs:
                return
        await asyncio.sleep(0.05)
    raise RuntimeError("the views did not catch up within 60 s")


def _counts(host: Host, jobs: int) -> dict[str, float]:
    """Count the steps per job from the files that the host wrote."""
    with closing(sqlite3.connect(f"file:{host.data / 'log.db'}?mode=ro", uri=True)) as log:
        events = log.execute("SELECT count(*) FROM log").fetchone()[0]
        appends = log.execute("SELECT count(*) FROM (SELECT DISTINCT job_id, at FROM log)").fetchone()[0]
    hub = next((host.data / "host").glob("*.db"))
    with closing(sqlite3.connect(f"file:{hub}?mode=ro", uri=True)) as tasks:
        kinds = Counter(
            kind
            for (events,) in tasks.execute("SELECT events FROM history")
            for kind in re.findall(r'"EventType": ?([0-9]+)', events)
        )
    return {
        "events_per_job": events / jobs,
        "log_appends_per_job": appends / jobs,
        "activities_per_job": kinds["4"] / jobs,
        "replays_per_job": kinds["12"] / jobs,
    }
