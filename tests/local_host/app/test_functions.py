"""What an app may use, and how it is told what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_host.errors import AppRefused, Refused
from tests.local_host.driving import loaded

HEAD = """
import azure.functions as func
import azure.durable_functions as df
app = df.DFApp()
"""


def refusal(tmp_path: Path, source: str, **files: object) -> str:
    with pytest.raises(AppRefused) as caught:
        loaded(tmp_path, HEAD + source, **files)
    return str(caught.value)


def test_all_that_is_not_supported_is_named_at_once(tmp_path: Path) -> None:
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
        "'counter': the binding 'context' of type entityTrigger",
        "'on_blob': the binding 'blob' of type blobTrigger",
        "'with_output': the binding 'out' of type queue",
        "'on_event': the binding 'event' of type eventHubTrigger",
        "'on_topic': the Service Bus topic trigger 'm'",
    ):
        assert part in text


def test_faults_of_routes_schedules_and_policies_are_named(tmp_path: Path) -> None:
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
    assert "the constraint 'odd'" in text
    assert "minute must be between 0 and 59 (got 61)" in text
    assert "must be fixed_delay or exponential_backoff (got 'sometimes')" in text


def test_a_feed_needs_its_connection_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
@app.cosmos_db_trigger(arg_name="docs", connection="FEED_CONNECTION", database_name="d", container_name="c")
def on_docs(docs: func.DocumentList): pass
"""
    monkeypatch.delenv("FEED_CONNECTION", raising=False)
    assert "the app setting 'FEED_CONNECTION'" in refusal(tmp_path / "a", source)
    monkeypatch.setenv("FEED_CONNECTION", "Server=tcp:x")
    assert "must be 'sqlite:' and a path, or 'AccountEndpoint='" in refusal(tmp_path / "b", source)


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
    assert "'one': the parameters ['other'] belong to no binding" in text
    assert "'two': the bindings ['req'] have no parameter of that name" in text
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

    with pytest.raises(Refused, match=r"has no function_app\.py"):
        load_app(tmp_path)
    with pytest.raises(AppRefused, match=r"exactly one FunctionApp or DFApp \(found 0\)"):
        loaded(tmp_path, "x = 1")
