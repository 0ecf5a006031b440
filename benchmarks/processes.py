"""Real worker processes, compared with bare interpreters that import the same modules."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.host import ROOT, Host, running_host
from benchmarks.http_load import Client

_AT_ONCE = 2
_IN_FLIGHT = 8
"""Enough to keep two cores busy."""


def worker_processes(jobs: int) -> dict[str, Any]:
    """Run empty message jobs in real workers, and spawn bare interpreters before and after."""
    bare_before = bare_spawns(jobs)
    with running_host(app=ROOT) as host:
        asyncio.run(_run(host, 10))
        began = time.monotonic()
        asyncio.run(_run(host, jobs))
        jobs_per_s = jobs / (time.monotonic() - began)
    bare_after = bare_spawns(jobs)
    bare = (bare_before + bare_after) / 2
    return {
        "jobs": jobs,
        "in_flight": _IN_FLIGHT,
        "jobs_per_s": jobs_per_s,
        "bare_spawns_per_s": bare,
        "share_of_bare": jobs_per_s / bare,
        "worker_imports": worker_imports(),
    }


def bare_spawns(count: int) -> float:
    """Return how many interpreters per second start, import the worker's modules, and exit; two at a time."""
    command = [sys.executable, "-I", "-S", "-c", f"import {', '.join(worker_imports())}"]
    began = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda _: subprocess.run(command, check=True), range(count)))
    return count / (time.monotonic() - began)


def worker_imports() -> list[str]:
    """Return the modules that a worker loads and a bare interpreter does not, without our own."""
    shown = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    bare = set(shown.stdout.split())
    traced = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", str(ROOT / "worker" / "__main__.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    durations: dict[str, int] = {}
    for line in traced.stderr.splitlines():
        _, _, times = line.partition("import time:")
        own, _, rest = times.partition("|")
        cumulative, _, name = rest.partition("|")
        if own.strip().isdecimal():
            durations[name.strip()] = int(cumulative)
    ours = {path.stem for path in (ROOT / "worker").glob("*.py")} | {"worker"}
    names = [name for name in durations if name not in bare and name.partition(".")[0] not in ours]
    # Slowest first: a package comes before its parts, some of which cannot be imported alone.
    return sorted(names, key=lambda name: -durations[name])


async def _run(host: Host, jobs: int) -> None:
    """Run jobs, a few at a time, until each has succeeded."""
    client = Client(host.port, connections=4)
    headers = {"x-functions-key": host.key}
    spec = {"message": "x", "env": {"MAYFLY_WORK_SECONDS": "0"}}
    url = f"http://127.0.0.1:{host.port}/api/jobs"
    submitted: list[str] = []
    succeeded: set[str] = set()
    deadline = time.monotonic() + 300
    while len(succeeded) < jobs and time.monotonic() < deadline:
        room = min(_IN_FLIGHT - len(submitted) + len(succeeded), jobs - len(submitted))
        answers = await asyncio.gather(*(client.call("POST", url, headers=headers, document=spec) for _ in range(room)))
        submitted += [answer.json()["job_id"] for answer in answers]
        await asyncio.sleep(0.02)
        shown = await client.call("GET", f"{url}?state=succeeded&limit={2 * _IN_FLIGHT}", headers=headers)
        succeeded |= {job["job_id"] for job in shown.json()["jobs"]} & set(submitted)
    await client.close()
    if len(succeeded) < jobs:
        raise RuntimeError(f"{jobs - len(succeeded)} of {jobs} benchmark jobs did not succeed within 300 s")
