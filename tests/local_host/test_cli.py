"""The host as a process: killed and restarted, stopped, and rejected."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.local_host.driving import write_app
from tests.waiting import HANG_GUARD_S, until

REPOSITORY = Path(__file__).resolve().parents[2]

APP = """
import os, time
from datetime import timedelta
from pathlib import Path
import azure.functions as func
import azure.durable_functions as df
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
NOTES = Path(os.environ["NOTES"])

@app.route(route="start/{id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client) -> str:
    return await client.start_new("work", req.route_params["id"])

@app.orchestration_trigger(context_name="context")
def work(context):
    first = yield context.call_activity("note", "first")
    yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=50))
    answered = yield context.wait_for_external_event("answered")
    last = yield context.call_activity("slow", answered)
    return [first, last]

def add(text):
    with NOTES.open("a") as file:
        file.write(text + "\\n")

@app.activity_trigger(input_name="text")
async def note(text: str) -> str:
    add(text)
    return text

@app.activity_trigger(input_name="text")
def slow(text: str) -> str:
    add("began " + text)
    while not (NOTES.parent / "gate").exists():
        time.sleep(0.01)
    add("ended " + text)
    return text
"""


class Process:
    """One host process, and a client for it."""

    def __init__(self, directory: Path, *extra: str) -> None:
        self.directory = directory
        arguments = ["start", "--app", str(directory / "app"), "--data", str(directory / "data"), *extra]
        environment = {**os.environ, "NOTES": str(directory / "notes"), "PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "local_host", *arguments],
            env=environment,
            cwd=directory,
            stderr=subprocess.PIPE,
            text=True,
        )

    def listening(self) -> str:
        assert self.process.stderr is not None
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if line.startswith("Listening on "):
                return line.split()[2]
        raise AssertionError("".join(lines))

    def next_line(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=HANG_GUARD_S)
        return self.process.returncode, errors

    def url(self, base: str, path: str) -> str:
        keys = json.loads((self.directory / "data" / "keys.json").read_text())
        return f"{base}/runtime/webhooks/durabletask/{path}?code={keys['master']}"


@contextlib.contextmanager
def hosting(directory: Path, *extra: str) -> Iterator[Process]:
    process = Process(directory, *extra)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
        process.process.communicate()


def notes(directory: Path) -> list[str]:
    path = directory / "notes"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def status(process: Process, base: str) -> dict[str, object]:
    body: dict[str, object] = httpx.get(process.url(base, "instances/job"), timeout=HANG_GUARD_S).json()
    return body


def test_a_host_killed_at_any_moment_resumes_where_it_was(tmp_path: Path) -> None:
    write_app(tmp_path / "app", APP)
    with hosting(tmp_path, "--port", "0") as process:
        base = process.listening()
        assert httpx.post(f"{base}/api/start/job", timeout=HANG_GUARD_S).text == "job"
        # The answer was given, so the start is committed, whatever happens now.
        process.end(signal.SIGKILL)
    with hosting(tmp_path, "--port", "0") as process:
        base = process.listening()
        until(lambda: "first" in notes(tmp_path))
        reply = httpx.post(process.url(base, "instances/job/raiseEvent/answered"), json="go", timeout=HANG_GUARD_S)
        assert reply.status_code == 202
        process.end(signal.SIGKILL)
    with hosting(tmp_path, "--port", "0") as process:
        process.listening()
        until(lambda: "began go" in notes(tmp_path))
        process.end(signal.SIGKILL)
    with hosting(tmp_path, "--port", "0") as process:
        base = process.listening()
        until(lambda: notes(tmp_path).count("began go") == 2)
        (tmp_path / "gate").touch()
        until(lambda: status(process, base)["runtimeStatus"] == "Completed")
        assert status(process, base)["output"] == ["first", "go"]
        code, errors = process.end(signal.SIGTERM)
    assert (code, errors) == (0, "")
    # Each ran at least once; the one that was running when the host died ran twice.
    assert notes(tmp_path).count("ended go") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_even_while_a_function_holds_a_thread(tmp_path: Path, number: int) -> None:
    write_app(tmp_path / "app", APP)
    with hosting(tmp_path, "--port", "0") as process:
        base = process.listening()
        httpx.post(f"{base}/api/start/job", timeout=HANG_GUARD_S)
        httpx.post(process.url(base, "instances/job/raiseEvent/answered"), json="go", timeout=HANG_GUARD_S)
        until(lambda: "began go" in notes(tmp_path))
        code, errors = process.end(number)  # the function would hold its thread forever
        assert (code, errors) == (0, "")


def test_a_second_host_on_the_same_data_is_refused(tmp_path: Path) -> None:
    write_app(tmp_path / "app", APP)
    with hosting(tmp_path, "--port", "0") as first:
        first.listening()
        with hosting(tmp_path, "--port", "0") as second:
            _, errors = second.process.communicate(timeout=HANG_GUARD_S)
            assert second.process.returncode == 2
            assert f"in use by another host (process {first.process.pid})" in errors


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    write_app(tmp_path / "app", APP)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with hosting(tmp_path, "--port", str(port)) as process:
            _, errors = process.process.communicate(timeout=HANG_GUARD_S)
            assert process.process.returncode == 2
            assert errors == (
                f"Cannot listen on 127.0.0.1:{port}: Address already in use. Pass a different port with --port.\n"
            )


def test_an_address_that_others_can_reach_needs_a_second_option(tmp_path: Path) -> None:
    write_app(tmp_path / "app", APP)
    with hosting(tmp_path, "--port", "0", "--host", "0.0.0.0") as process:  # noqa: S104
        _, errors = process.process.communicate(timeout=HANG_GUARD_S)
        assert process.process.returncode == 2
        assert "--allow-remote" in errors


def test_an_app_that_is_refused_is_named_and_nothing_runs(tmp_path: Path) -> None:
    source = APP + "\n@app.entity_trigger(context_name='context')\ndef counter(context): pass\n"
    write_app(tmp_path / "app", source)
    with hosting(tmp_path, "--port", "0") as process:
        _, errors = process.process.communicate(timeout=HANG_GUARD_S)
        assert process.process.returncode == 2
        assert errors == (
            "The local host cannot run this function app:\n"
            "  - function 'counter': binding 'context' has the unsupported type entityTrigger\n"
        )


def test_settings_without_effect_are_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = """
@app.service_bus_queue_trigger(arg_name="message", queue_name="q", connection="BUS")
@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:10")
def take(message: func.ServiceBusMessage): pass
"""
    durable = {"hubName": "Hub", "versionMatchStrategy": "Strict", "storageProvider": {"partitionCount": 4}}
    host_json = {
        "version": "2.0",
        "functionTimeout": "00:10:00",
        "extensions": {"http": {"routePrefix": "x"}, "serviceBus": {"maxConcurrentCalls": 2}, "durableTask": durable},
    }
    write_app(tmp_path / "app", APP + queue, host_json=host_json)
    monkeypatch.setenv("WEBSITE_TIME_ZONE", "Europe/Berlin")
    with hosting(tmp_path, "--port", "0") as process:
        process.listening()
        assert process.next_line() == (
            "Ignored by the local host: functionTimeout, extensions.durableTask.versionMatchStrategy,"
            " extensions.durableTask.storageProvider, WEBSITE_TIME_ZONE (schedules run in UTC),"
            " retry policy of take (its queue redelivers)\n"
        )


def test_a_quiet_host_prints_only_errors(tmp_path: Path) -> None:
    write_app(tmp_path / "app", APP, host_json={"version": "2.0", "functionTimeout": "00:10:00"})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/", timeout=HANG_GUARD_S).status_code > 0
        return False

    with hosting(tmp_path, "--port", str(port), "--quiet") as process:
        until(answers)
        assert process.end(signal.SIGTERM) == (0, "")


def test_an_app_whose_settings_all_have_an_effect_gets_no_notice(tmp_path: Path) -> None:
    write_app(tmp_path / "app", APP)
    with hosting(tmp_path, "--port", "0") as process:
        process.listening()
        assert process.end(signal.SIGTERM) == (0, "")
