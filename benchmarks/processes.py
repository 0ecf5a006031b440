"""Real worker processes, beside what this interpreter can start at all with the same imports."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.host import ROOT, Host, running_host
from benchmarks.http_load import Client

_AT_ONCE = 2


def worker_processes(jobs: int) -> dict[str, Any]:
    """Run message jobs without work in real workers, and spawn bare interpreters in the same minute."""
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
        "jobs_per_s": jobs_per_s,
        "bare_spawns_per_s": bare,
        "share_of_bare": jobs_per_s / bare,
        "worker_imports": worker_imports(),
    }


def bare_spawns(count: int) -> float:
    """Return how many interpreters a second start, import what the worker imports, and end; two at a time."""
    command = [sys.executable, "-I", "-S", "-c", f"import {', '.join(worker_imports())}"]
    began = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda _: subprocess.run(command, check=True), range(count)))
    return count / (time.monotonic() - began)


def worker_imports() -> list[str]:
    """Return the modules that a worker has loaded at its end and a bare interpreter has not, ours left out."""
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
    lines = [line.rpartition("|")[2].strip() for line in traced.stderr.splitlines() if line.startswith("import time:")]
    ours = {path.stem for path in (ROOT / "worker").glob("*.py")} | {"worker"}
    names = {line for line in lines if line not in bare and line.partition(".")[0] not in ours}
    return sorted(
        name for name in names if name.replace(".", "").replace("_", "").isalnum() and name != "imported package"
    )


async def _run(host: Host, jobs: int) -> None:
    client = Client(host.port, connections=8)
    headers = {"x-functions-key": host.key}
    spec = {"message": "x", "env": {"MAYFLY_WORK_SECONDS": "0"}}
    url = f"http://127.0.0.1:{host.port}/api/jobs"
    answers = await asyncio.gather(*(client.call("POST", url, headers=headers, document=spec) for _ in range(jobs)))
    waiting = {answer.json()["job_id"] for answer in answers}
    while waiting:
        await asyncio.sleep(0.1)
        page = await client.call("GET", f"{url}?limit=200", headers=headers)
        for job in page.json()["jobs"]:
            if job["state"] == "succeeded" and job["attempts"][-1]["container"] == "gone":
                waiting.discard(job["job_id"])
            elif job["state"] in ("failed", "timed_out", "canceled"):
                raise RuntimeError(f"a benchmark job ended as {job['state']}: {json.dumps(job)}")
    await client.close()
