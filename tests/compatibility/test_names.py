"""Every public name of 9e4d491 still works: names.json lists them, and a better name needs the old one as an alias."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility import naming, recorded
from tests.compatibility.answering import answers, query_values
from tests.compatibility.opened import Opened, folded, load_items, opened_cosmos, opened_folder, read_items
from tests.cosmos_server.server import CosmosServer
from tests.triggers.function_host import patch_durable_client
from tests.waiting import HANG_GUARD_S

ROOT = Path(__file__).parents[2]
NAMES: dict[str, Any] = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    with opened_folder(recorded.restore(tmp_path / "data"), at=recorded.killed_at()) as opened:
        patch_durable_client(monkeypatch, opened.durable)
        yield opened


# The HTTP API


def test_every_route_answers_with_every_field(opened: Opened) -> None:
    found = answers(opened)
    assert found.keys() - {"a job that is refused"} == set(NAMES["routes"])
    for call, fields in NAMES["answered_fields"].items():
        missing = set(fields) - naming.field_paths(found[call])
        assert not missing, f"{call} answers without {', '.join(sorted(missing))}"


def test_every_query_parameter_is_accepted(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    values = query_values()
    assert {call: sorted(known) for call, known in values.items()} == NAMES["queries"]
    for call, known in values.items():
        method, _, path = call.partition(" /api/")
        job_id = next(job_id for job_id in recorded.expected()["outputs"] if job_id.startswith("result"))
        for name, value in known.items():
            answer = opened.call(method, path.format(job_id=job_id), params={name: value})
            assert answer.status in (200, 202), f"{call}?{name}={value}: {answer.text}"


def test_the_openapi_document_describes_every_field_and_parameter(opened: Opened) -> None:
    document = opened.get("openapi.json")
    for names, found in (
        (NAMES["described_fields"], naming.described_fields(document)),
        (NAMES["queries"], naming.described_queries(document)),
    ):
        for place, fields in names.items():
            missing = set(fields) - set(found.get(place, ()))
            assert not missing, f"{place} is described without {', '.join(sorted(missing))}"


# The command line


@pytest.mark.parametrize("name", NAMES["commands"])
def test_a_command_accepts_its_options(name: str) -> None:
    command = naming.commands().get(name)
    assert command is not None, f"mayfly {name} no longer exists"
    arguments = NAMES["commands"][name]["arguments"]
    for option in NAMES["commands"][name]["options"]:
        assert command.make_context(name, [*option, *arguments]), f"mayfly {name} {' '.join(option)}"
    assert naming.variables_of(command) >= set(NAMES["commands"][name]["variables"])


def test_the_command_line_prints_its_version() -> None:
    command = [sys.executable, "-m", "mayfly", "--version"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=HANG_GUARD_S)
    assert "mayfly" in ended.stdout


def test_the_local_host_accepts_its_options(tmp_path: Path) -> None:
    given = [text for option in NAMES["local_host_options"] for text in option]
    given += ["--app", str(tmp_path), "--data", str(tmp_path / "data")]  # the last ones count: an empty folder
    command = [sys.executable, "-m", "local_host", "start", *given]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=HANG_GUARD_S)
    assert ended.returncode == 2
    assert "function_app.py" in ended.stderr, "it read the options and checked the folder"
    assert "usage:" not in ended.stderr


# Settings


@pytest.mark.parametrize("setting", NAMES["settings"], ids=lambda setting: str(setting["name"]))
def test_a_setting_is_read(setting: dict[str, Any], tmp_path: Path) -> None:
    """The settings differ with and without the variable, or cannot be read without it."""
    with_it = naming.settings_of({**setting["with"], setting["name"]: setting["value"]}, data=tmp_path)
    try:
        without_it = naming.settings_of(setting["with"], data=tmp_path)
    except Exception:
        return
    assert with_it != without_it


def test_a_variable_of_the_host_holds_a_secret(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {"message": "hi", "secrets": {"PASSWORD": "db-password"}}
    assert len(opened.call("POST", "plan", body=spec).json["obstacles"]) == 1
    monkeypatch.setenv("MAYFLY_SECRET_DB_PASSWORD", "known")
    assert opened.call("POST", "plan", body=spec).json["obstacles"] == []


# Names that running instances depend on


def test_every_function_is_registered_with_its_bindings() -> None:
    """Durable functions, activities, routes, the queue, the feed and the connections, by their recorded names."""
    found = naming.bindings()
    for name, bindings in NAMES["functions"].items():
        assert name in found, f"the function {name} is no longer registered"
        for binding in bindings:
            assert any(binding.items() <= one.items() for one in found[name]), f"{name} has no {binding}"


def test_orchestrations_are_woken_by_the_same_events(opened: Opened) -> None:
    ended, canceled = (recorded.expected()["in_flight"][name] for name in ("outlives", "alone"))
    opened.durable.statuses |= {ended: "Running", canceled: "Running"}
    _report_failure(opened, ended, "exit")
    assert opened.call("POST", f"jobs/{canceled}/cancel").status == 202
    assert opened.durable.raised == [*zip((ended, canceled), NAMES["external_events"], strict=True)]


def test_the_api_shows_every_event_with_every_field(opened: Opened) -> None:
    found = opened.get("events")["events"]
    assert {event["type"] for event in found} == set(NAMES["events"])
    for event in found:
        assert event.keys() >= set(NAMES["event_envelope"])
        assert event["data"].keys() >= set(NAMES["events"][event["type"]]), event["type"]


@pytest.mark.parametrize("source", NAMES["values"]["source"])
def test_an_event_of_every_source_is_read(source: str, opened: Opened) -> None:
    (first, *_) = opened.events(next(iter(recorded.expected()["jobs"])))
    assert folded([{**first, "source": source}])[0]["source"] == source


@pytest.mark.parametrize("error", NAMES["values"]["error"])
def test_a_worker_may_report_every_class_of_error(error: str, opened: Opened) -> None:
    job_id = recorded.expected()["in_flight"]["outlives"]
    _report_failure(opened, job_id, error)
    assert opened.job(job_id)["error"] == error


def _report_failure(opened: Opened, job_id: str, error: str) -> None:
    claim = opened.job(job_id)["attempts"][0]["claim"]
    body = {"type": "finished", "claim": claim, "outcome": "failed", "error": {"class": error, "message": "m"}}
    headers = {"Authorization": f"Bearer {recorded.expected()['workers']['outlives']}"}
    assert opened.call("POST", f"jobs/{job_id}/reports", body=body, headers=headers).status == 202


def test_every_file_has_its_tables_and_columns(tmp_path: Path) -> None:
    """Processes of two versions may share a folder. A view of the old name is a table, too."""
    naming.make_files(tmp_path / "fresh")
    found = naming.tables(tmp_path / "fresh", recorded.DATABASES)
    for name, known in NAMES["tables"].items():
        for table, columns in known.items():
            missing = set(columns) - set(found[name].get(table, ()))
            assert not missing, f"{name}.db: {table} is without {', '.join(sorted(missing))}"


def test_cosmos_db_has_its_containers_and_the_fields_of_their_items(
    cosmos_server: CosmosServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert naming.database() == NAMES["cosmos"]["database"]
    assert naming.containers().items() >= NAMES["cosmos"]["containers"].items()
    account = cosmos_server.account()
    loader = cosmos_server.account(f"test{cosmos_server.opened}")
    with opened_cosmos(account, tmp_path) as opened:
        opened.runner.run(load_items(loader, {"events": recorded.cosmos()["events"]}))
        patch_durable_client(monkeypatch, opened.durable)
        job_id = opened.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
        opened.rebuild()
        items = opened.runner.run(read_items(loader, ("events", "views", "figures")))
        opened.runner.run(loader.leave())
    (event,) = [item for item in items["events"] if item["job_id"] == job_id]
    assert event["id"] == "000001"
    assert job_id in [item["id"] for item in items["views"]]
    fields = NAMES["cosmos"]["fields"]
    assert event.keys() >= set(fields["events"]) - {"exact"}
    for name in ("views", "figures"):
        assert set().union(*items[name]) >= set(fields[name]), name


# The worker, whose image may be of another version than the host


def test_a_worker_receives_every_variable(runner: asyncio.Runner) -> None:
    assert naming.given_to_a_worker(runner) >= set(NAMES["worker"]["given"])


def test_a_worker_reads_every_variable() -> None:
    good = dict.fromkeys(NAMES["worker"]["read"], "7") | {"MAYFLY_REPORT_URL": "http://127.0.0.1:1/api"}
    usual = naming.read_by_a_worker(good)
    for name in good:
        other = "http://127.0.0.1:2/api" if name == "MAYFLY_REPORT_URL" else "8"
        assert naming.read_by_a_worker({**good, name: other}) != usual, f"{name} is not read"
