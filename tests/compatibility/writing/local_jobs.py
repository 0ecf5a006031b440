# mypy: ignore-errors
"""Jobs on one machine: some ended in each possible way, and some were in flight when the host was killed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
from pathlib import Path

from mayfly.cli.leftovers import kill_jobs
from mayfly.containers.group_directory import MARK
from mayfly.containers.process_census import take_census
from mayfly.submitting import submit

from mayfly.clock import SystemClock
from mayfly.composition import compose
from mayfly.jobs.spec import JobSpec
from mayfly.settings import read_settings
from tests.compatibility.writing.host import RunningHost, running, token, wait_until
from tests.mayfly.composed import REPORT_KEY, RecordedOrchestrators

GROUPS_MAX = 5
_RESULT = 'echo "::progress 0.5 half way"; echo "::result {\\"n\\": 9007199254740993, \\"text\\": \\"naïve ☂\\"}"'
_AT_LAST = 'echo "attempt $MAYFLY_ATTEMPT"; [ "$MAYFLY_ATTEMPT" -ge %d ] || exit 3; echo "::result $MAYFLY_ATTEMPT"'
_SLEEP_ONCE = '[ "$MAYFLY_ATTEMPT" -lt %(n)d ] && exit 3; [ "$MAYFLY_ATTEMPT" = %(n)d ] && sleep 600; echo "::result 1"'
_DEAF = "trap '' TERM; sleep 600 & sleep 600; sleep 600"


def run_locally(data: Path) -> dict[str, object]:
    """Run the jobs, kill the host while some are in flight, and return what cannot be read from its files."""
    host = RunningHost(data, MAYFLY_GROUPS_MAX=str(GROUPS_MAX))
    try:
        _ended(host, data)
        names = _in_flight(host, data)
    finally:
        host.kill()
        kill_jobs(data)
    names["orphan"] = asyncio.run(_submit_without_orchestrator(data))
    return {"in_flight": names, "workers": {"outlives": token(names["outlives"], 1)}}


def _shell(script: str, **more: object) -> dict[str, object]:
    return {"command": ["sh", "-c", script], **more}


def _ended(host: RunningHost, data: Path) -> None:
    labels = {"team": "research, applied", "order": "17"}
    hello = {"message": "hello", "name": "hello", "env": {"MAYFLY_WORK_SECONDS": "0.6"}, "labels": labels}
    jobs = [host.submit(hello, key="order-17"), host.submit(hello, key="order-17")]
    assert jobs[0] == jobs[1]
    secret = {"DB_PASSWORD": "db-password"}
    jobs += [
        host.submit(_shell(_RESULT, name="result", labels={"order": "18"}), source="cli"),
        host.submit(_shell("echo $DB_PASSWORD; exit 3", name="exits", secrets=secret, retry=_retry(3, codes=[4]))),
        host.submit(_shell("kill -9 $$", name="signal", retry=_retry(2, errors=["exit"])), source="dashboard"),
        host.submit({"command": ["/no/such/program"], "name": "no-program", "at_most_once": True}),
        host.submit({"message": "m", "name": "no-secret", "secrets": {"TOKEN": "not-there"}}),
        host.submit(_shell("sleep 600", name="too-slow", run_timeout_s=1)),
    ]
    host.wait_settled(*jobs)
    array = [_shell(_AT_LAST % n, name=f"array-{n}", labels={"array": "a"}, retry=_retry(3)) for n in (1, 2, 3, 4)]
    array += [_shell(_AT_LAST % 12, name="twelfth", labels={"array": "a"}, retry=_retry(12))]
    jobs += (array_ids := [host.submit(spec) for spec in array])
    host.send(b"a message from a queue", "message-1")
    host.send(json.dumps(_shell("exit 0", name="queued", labels={"array": "b"})).encode(), "message-2")
    host.send(b'{"mesage": "a typing error"}', "message-3")
    host.send(b"\xff\xfe", "message-4", "text/plain")
    host.wait_settled(*array_ids)
    wait_until(lambda: len(host.http.get("/api/intake").json()["refusals"]) == 2)
    letters = "/runtime/webhooks/queues/jobs/deadletter"
    wait_until(lambda: len(host.http.get(letters).json()) == 2)

    canceled = host.submit(_shell("echo started; sleep 600", name="canceled"))
    host.wait_for(canceled, running)
    assert host.report(canceled, {"type": "started", "claim": "0" * 32}) == 409
    claim = host.job(canceled)["attempts"][0]["claim"]
    host.cancel(canceled, "not needed any more")
    assert host.report(canceled, {"type": "progress", "claim": claim, "sequence": 1}) == 410
    assert host.report(canceled, {"type": "finished", "claim": claim, "outcome": "succeeded"}) == 410
    lost = host.submit(_shell("sleep 600", name="lost", run_timeout_s=600))
    killed = host.submit(_shell("sleep 600", name="killed", at_most_once=True, retry=_retry(3)))
    for job_id in (lost, killed):
        host.wait_for(job_id, running)
    _end_from_outside(data, host.job(lost)["attempts"][0]["group"], remove=True)
    _end_from_outside(data, host.job(killed)["attempts"][0]["group"], remove=False)
    host.wait_settled(canceled, lost, killed)
    host.archive(jobs[0])
    host.archive(lost)


def _in_flight(host: RunningHost, data: Path) -> dict[str, str]:
    between = host.submit(_shell(_AT_LAST % 2, name="between", retry=_retry(2, backoff_s=30)))
    host.wait_for(between, lambda job: job["retry_at"] is not None)
    names = {
        "between": between,
        "alone": host.submit(_shell("sleep 600", name="alone", labels={"in": "flight"})),
        "again": host.submit(_shell(_SLEEP_ONCE % {"n": 1}, name="again", retry=_retry(2))),
        "eleventh": host.submit(_shell(_SLEEP_ONCE % {"n": 11}, name="eleventh", retry=_retry(12))),
        "outlives": host.submit(_shell("sleep 600", name="outlives")),
        "deleted": host.submit(_shell(_DEAF, name="deleted")),
    }
    for name, job_id in names.items():
        number = {"eleventh": 11}.get(name, 1)
        if name != "between":
            host.wait_for(job_id, lambda job, n=number: running(job) and len(job["attempts"]) == n)
    names["held"] = host.submit(_shell('echo "::result 2"', name="held"))
    wait_until(lambda: "JobHeld" in host.types(names["held"]))
    host.cancel(names["deleted"], "to be deleted")
    wait_until(lambda: "ContainerDeleteRequested" in host.types(names["deleted"]))
    _leave_a_message(host, data)
    host.kill()
    return names


def _leave_a_message(host: RunningHost, data: Path) -> None:
    """Have a message of the queue taken and not done with: the log cannot be written while it is."""
    with sqlite3.connect(data / "log.db", isolation_level=None) as log:
        log.execute("BEGIN IMMEDIATE")
        host.send(b"the last message", "message-5")
        with sqlite3.connect(f"file:{data / 'host' / 'hub.db'}?mode=ro", uri=True) as hub:
            taken = "SELECT count(*) FROM queue_messages WHERE message_id = 'message-5' AND deliveries = 1"
            wait_until(lambda: hub.execute(taken).fetchone() == (1,))
        host.process.send_signal(signal.SIGKILL)
        host.process.wait(20)
        log.execute("ROLLBACK")


async def _submit_without_orchestrator(data: Path) -> str:
    """Write a job as a host does that ends between the append and the start of the orchestrator."""
    environment = {"MAYFLY_DATA": str(data), "MAYFLY_REPORT_KEY": REPORT_KEY.decode()}
    mayfly = compose(read_settings(environment))
    assert isinstance(mayfly.clock, SystemClock)
    spec = JobSpec(command=("sh", "-c", 'echo "::result 3"'), name="orphan")
    submission = await submit(mayfly, RecordedOrchestrators(), spec, source="http")
    await mayfly.close()
    return submission.job.job_id


def _retry(attempts: int, *, codes: list[int] | None = None, errors: list[str] | None = None, backoff_s: float = 0):
    retry = {"max_attempts": attempts, "backoff_s": backoff_s}
    return retry | ({"on_exit_codes": codes} if codes else {}) | ({"on_errors": errors} if errors else {})


def _end_from_outside(data: Path, group: str, *, remove: bool) -> None:
    """Kill a group's processes from outside; with `remove`, delete its folder as well."""
    folder = (data / "containers" / group).resolve()
    members = take_census(MARK).members(folder)
    recorder = int((folder / "pid").read_text())
    # The recorder writes the exit code, unless everything must vanish.
    for pid in members:
        if remove or pid != recorder:
            os.kill(pid, signal.SIGKILL)
    if remove:
        shutil.rmtree(folder)
