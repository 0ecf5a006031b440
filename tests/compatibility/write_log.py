# mypy: ignore-errors
"""Write `9e4d491/`. This runs on commit 9e4d491 only, because what it writes is what that commit wrote.

    git worktree add ../at-9e4d491 9e4d491
    git log --diff-filter=A --format=%H -- tests/compatibility/write_log.py   # the commit that added this file: ADDED
    git -C ../at-9e4d491 checkout ADDED -- tests/compatibility
    cd ../at-9e4d491 && python -m tests.compatibility.write_log

It takes two to three minutes. There is no reason to run it again, unless the record itself is found to be wrong.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mayfly.jobs.events import KINDS
from tests.compatibility.opened import Opened, folded, opened_folder
from tests.compatibility.recorded import DATABASES, FOLDER, LISTS, restore
from tests.compatibility.writing.azure_jobs import run_in_azure
from tests.compatibility.writing.dumps import dump_cosmos, dump_sqlite, write
from tests.compatibility.writing.host import ROOT
from tests.compatibility.writing.local_jobs import run_locally

COMMIT = "9e4d491"
_PRODUCT = ("mayfly", "orchestrations", "triggers", "worker", "local_host", "function_app.py", "host.json")
BYTES_MAX = 300_000


def main() -> None:
    changed = subprocess.run(["git", "diff", "--quiet", COMMIT, "--", *_PRODUCT], cwd=ROOT, check=False)
    if changed.returncode != 0:
        sys.exit(f"the current code is not that of {COMMIT}: see the top of tests/compatibility/write_log.py")
    with tempfile.TemporaryDirectory(prefix="mayfly-fixture-") as name:
        folder = Path(name)
        data = folder / "data"
        run_in_azure(data, folder)
        facts = run_locally(data) | {"killed_at": datetime.now(UTC).isoformat()}
        shutil.copy(folder / "ledger.db", data / "ledger.db")
        for database in DATABASES:
            dump_sqlite(data / f"{database}.db", FOLDER / f"{Path(database).name}.sql.gz")
        restored = restore(folder / "restored")
        with opened_folder(restored) as opened:
            write(FOLDER / "expected.json.gz", _text(facts | _outcome(opened)))
            streams = {job_id: opened.events(job_id) for job_id in dict.fromkeys(e["job_id"] for e in _events(opened))}
            write(FOLDER / "steps.json.gz", _text({job_id: folded(stream) for job_id, stream in streams.items()}))
        asyncio.run(dump_cosmos(restored, FOLDER / "cosmos.json.gz"))
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"wrote {FOLDER}: {size} bytes")
    assert size < BYTES_MAX


def _outcome(opened: Opened) -> dict[str, Any]:
    """Return the contents of the folder as the current code reads them, before and after a rebuild of the views."""
    assert opened.complete()
    events = _events(opened)
    assert {event["type"] for event in events} == set(KINDS)
    job_ids = list(dict.fromkeys(event["job_id"] for event in events))
    jobs = {job_id: opened.job(job_id) for job_id in job_ids}
    outcome = {
        "jobs": jobs,
        "viewed": [job["job_id"] for job in opened.viewed()],
        "figures": opened.figures_json(),
        "log": opened.log_json(),
        "ledger": opened.ledger_json(),
        "intake": opened.get("intake"),
        "outputs": {job_id: _of_attempts(opened, job, "logs") for job_id, job in jobs.items()},
        "readings": {job_id: _of_attempts(opened, job, "metrics") for job_id, job in jobs.items()},
    }
    opened.rebuild()
    outcome["rebuilt"] = [job["job_id"] for job in opened.viewed()]
    outcome["rebuilt_figures"] = opened.figures_json()
    outcome["lists"] = [[job["job_id"] for job in opened.pages(**query)] for query in LISTS]
    page = opened.get("jobs", limit="7", archived="true")
    rest = [job["job_id"] for job in opened.pages(cursor=page["cursor"], archived="true")]
    outcome["cursor"] = {"cursor": page["cursor"], "rest": rest}
    return outcome


def _events(opened: Opened) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = opened.get("events")["events"]
    return events


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _of_attempts(opened: Opened, job: dict[str, Any], what: str) -> list[dict[str, Any]]:
    numbers = [attempt["number"] for attempt in job["attempts"]]
    return [opened.get(f"jobs/{job['job_id']}/{what}", attempt=str(number)) for number in numbers]


if __name__ == "__main__":
    main()
