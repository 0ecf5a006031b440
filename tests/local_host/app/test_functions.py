"""The supported parts of an app, and the errors for the unsupported ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_host.errors import StartupError, UnsupportedApp
from tests.local_host.driving import loaded

HEAD = """
import azure.functions as func
import azure.durable_functions as df
app = df.DFApp()
"""


def refusal(tmp_path: Path, source: str, **files: object) -> str:
    with pytest.raises(UnsupportedApp) as caught:
        loaded(tmp_path, HEAD + source, **files)
    return str(caught.value)


def test_every_unsupported_part_is_named_at_once(tmp_path: Path) -> None:
    text = refusal(
        tmp_path,
        """
@app.entity_trigger(context_name="context")
def counter(context): pass

@app.blob_trigger(arg_name="blob", path="a/b", connection="C")
def on_blob(blob: func.InputStream): pass

@app.route(route="x")
@app.queue_output(arg_name="out", queue_name="q", connection="C")
def with_output(req: func.HttpRequest, out: func.Out[str]) -> str: return ""

@app.event_hub_message_trigger(arg_name="event", event_hub_name="h", connection="C")
def on_event(event: func.EventHubEvent): pass

@app.service_bus_topic_trigger(arg_name="m", topic_name="t", subscription_name="s", connection="C")
def on_topic(m: func.ServiceBusMessage): pass
""",
    )
    for part in (
        "'counter': binding 'context' has the unsupported type entityTrigger",
        "'on_blob': binding 'blob' has the unsupported type blobTrigger",
        "'with_output': binding 'out' has the unsupported type queue",
        "'on_event': binding 'event' has the unsupported type eventHubTrigger",
        "'on_topic': Service Bus topic trigger 'm' is not supported; use a queue",
    ):
        assert part in text


def test_errors_in_routes_schedules_and_policies_are_named(tmp_path: Path) -> None:
    text = refusal(
        tmp_path,
        """
@app.route(route="a/{id:odd}")
def by_route(req: func.HttpRequest) -> str: return ""

@app.timer_trigger(schedule="0 61 * * * *", arg_name="t")
@app.retry(strategy="sometimes", max_retry_count="3")
def by_time(t: func.TimerRequest): pass
""",
    )
    assert "constraint 'odd' in route segment '{id:odd}' is not supported" in text
    assert "minute must be between 0 and 59 (got 61)" in text
    assert "must be fixed_delay or exponential_backoff (got 'sometimes')" in text


def test_a_feed_needs_its_connection_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
@app.cosmos_db_trigger(arg_name="docs", connection="FEED_CONNECTION", database_name="d", container_name="c")
def on_docs(docs: func.DocumentList): pass
"""
    monkeypatch.delenv("FEED_CONNECTION", raising=False)
    assert "app setting 'FEED_CONNECTION', the connection of change feed trigger 'docs', is missing" in refusal(
        tmp_path / "a", source
    )
    monkeypatch.setenv("FEED_CONNECTION", "Server=tcp:x")
    assert "must start with 'sqlite:' (then a path) or 'AccountEndpoint='" in refusal(tmp_path / "b", source)


def test_parameters_and_bindings_must_agree(tmp_path: Path) -> None:
    text = refusal(
        tmp_path,
        """
@app.route(route="x")
def one(req: func.HttpRequest, other: str) -> str: return ""

@app.route(route="y")
def two(request: func.HttpRequest) -> str: return ""

@app.route(route="z")
@app.durable_client_input(client_name="client")
async def three(req: func.HttpRequest, client, context: func.Context) -> str: return ""
""",
    )
    assert "'one': parameters ['other'] have no binding" in text
    assert "'two': bindings ['req'] have no parameter" in text
    assert "'three'" not in text


def test_blueprints_are_part_of_the_app_and_settings_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALREADY", "kept")
    monkeypatch.delenv("SCHEDULE", raising=False)
    app = loaded(
        tmp_path,
        HEAD
        + """
import os
part = df.Blueprint()

@part.orchestration_trigger(context_name="context", orchestration="Named")
def orchestrator(context): yield

@part.timer_trigger(schedule="%SCHEDULE%", arg_name="t")
def at(t: func.TimerRequest): pass

app.register_functions(part)
seen = os.environ["ALREADY"], os.environ["SCHEDULE"]
""",
        settings={"ALREADY": "overwritten", "SCHEDULE": "0 */5 * * * *"},
    )
    assert [function.durable_name for function in app.functions] == ["Named", "at"]
    assert app.functions[1].schedule is not None
    assert app.functions[1].schedule.text == "0 */5 * * * *"
    assert app.functions[1].call.__globals__["seen"] == ("kept", "0 */5 * * * *")


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    from local_host.app.loading import load_app

    with pytest.raises(StartupError, match=r"has no function_app\.py"):
        load_app(tmp_path)
    with pytest.raises(UnsupportedApp, match=r"exactly one FunctionApp or DFApp \(found 0\)"):
        loaded(tmp_path, "x = 1")
