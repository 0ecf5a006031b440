"""The management API over real HTTP: verbs, codes, bodies and headers as the durable extension has them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.local_host.driving import Served, serving, until

APP = """
import azure.functions as func
import azure.durable_functions as df
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.orchestration_trigger(context_name="context")
def waits(context):
    answered = yield context.wait_for_external_event("answered")
    greeting = yield context.call_activity("greet", answered)
    return {"greeting": greeting}

@app.orchestration_trigger(context_name="context")
def fails(context):
    raise ValueError("on purpose")
    yield

@app.activity_trigger(input_name="name")
def greet(name: str) -> str:
    return f"Hello, {name}"

@app.route(route="begin/{id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def begin(req: func.HttpRequest, client) -> func.HttpResponse:
    started = await client.start_new("waits", req.route_params["id"], req.get_json())
    return client.create_check_status_response(req, started)
"""

Talk = Callable[[Served], Awaitable[None]]


def with_host(tmp_path: Path, talk: Talk) -> None:
    async def go() -> None:
        async with serving(tmp_path, APP) as served:
            await talk(served)

    asyncio.run(go())


@asynccontextmanager
async def waiting(served: Served, instance_id: str = "i") -> AsyncIterator[None]:
    reply = await served.client.post(served.management(f"orchestrators/waits/{instance_id}"), json={"n": 1})
    assert reply.status_code == 202
    await served.until(instance_id, lambda body: body["runtimeStatus"] == "Running")
    yield


def test_start_answers_202_with_links_that_work(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        reply = await served.client.post(served.management("orchestrators/waits"), json={"n": 1})
        body = reply.json()
        assert reply.status_code == 202
        assert reply.headers["retry-after"] == "10"
        assert reply.headers["location"] == body["statusQueryGetUri"]
        assert len(body["id"]) == 32
        await served.until(body["id"], lambda status: status["runtimeStatus"] == "Running")
        sent = await served.client.post(body["sendEventPostUri"].replace("{eventName}", "answered"), json="Ann")
        assert (sent.status_code, sent.content) == (202, b"")
        status = await served.until_finished(body["id"])
        assert (status["output"], status["input"]) == ({"greeting": "Hello, Ann"}, {"n": 1})
        purged = await served.client.delete(body["purgeHistoryDeleteUri"])
        assert (purged.status_code, purged.json()) == (200, {"instancesDeleted": 1})
        assert (await served.client.get(body["statusQueryGetUri"])).status_code == 404

    with_host(tmp_path, talk)


def test_start_refuses_unknown_functions_bad_json_and_ids_in_use(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        unknown = await served.client.post(served.management("orchestrators/missing"))
        assert unknown.status_code == 400
        assert "The function 'missing' doesn't exist" in unknown.json()["ExceptionMessage"]
        assert set(unknown.json()) == {"Message", "ExceptionMessage", "ExceptionType", "StackTrace"}
        bad = await served.client.post(served.management("orchestrators/waits"), content=b"{")
        assert bad.status_code == 400
        entity = await served.client.post(served.management("orchestrators/waits/@x"))
        assert entity.status_code == 400
        async with waiting(served):
            taken = await served.client.post(served.management("orchestrators/waits/i"))
            assert taken.status_code == 500
            assert taken.json()["ExceptionMessage"] == (
                "An Orchestration instance with the status Running already exists."
            )

    with_host(tmp_path, talk)


def test_start_can_wait_for_the_end(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        begun = served.client.post(served.management("orchestrators/waits/i", timeout="3600", pollingInterval="0.05"))
        waiter = asyncio.create_task(begun)
        await until(lambda: served.host.engine.status("i") is not None)
        await served.client.post(served.management("instances/i/raiseEvent/answered"), json="Bo")
        reply = await waiter
        assert (reply.status_code, reply.json()) == (200, {"greeting": "Hello, Bo"})
        late = await served.client.post(
            served.management("orchestrators/waits/j", timeout="0.01", pollingInterval="0.01")
        )
        assert (late.status_code, late.json()["id"]) == (202, "j")

    with_host(tmp_path, talk)


def test_status_is_202_while_it_runs_and_200_afterwards(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        async with waiting(served):
            running = await served.client.get(served.management("instances/i"))
            assert running.status_code == 202
            assert running.headers["retry-after"] == "5"
            assert "/instances/i" in running.headers["location"]
            assert list(running.json()) == [
                *("name", "instanceId", "runtimeStatus", "input", "customStatus", "output"),
                *("createdTime", "lastUpdatedTime"),
            ]
            assert running.json()["createdTime"].endswith("Z")
            assert len(running.json()["createdTime"]) == len("2026-01-01T00:00:00Z")
            hidden = await served.client.get(served.management("instances/i", showInput="false"))
            assert hidden.json()["input"] is None
        await served.client.post(served.management("orchestrators/fails/f"))
        await served.until_finished("f")
        assert (await served.client.get(served.management("instances/f"))).status_code == 200
        flagged = await served.client.get(served.management("instances/f", returnInternalServerErrorOnFailure="true"))
        assert flagged.status_code == 500
        assert flagged.json()["output"] == "Orchestrator function 'fails' failed: on purpose"
        assert (await served.client.get(served.management("instances/none"))).status_code == 404

    with_host(tmp_path, talk)


def test_history_for_people_merges_what_was_scheduled_into_its_completion(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        async with waiting(served):
            await served.client.post(served.management("instances/i/raiseEvent/answered"), json="Ann")
            await served.until_finished("i")
        short = (await served.client.get(served.management("instances/i", showHistory="true"))).json()
        rows = short["historyEvents"]
        assert [row["EventType"] for row in rows] == [
            *("ExecutionStarted", "EventRaised", "TaskCompleted", "ExecutionCompleted"),
        ]
        assert all("EventId" not in row and "IsPlayed" not in row and "Result" not in row for row in rows)
        assert rows[2]["FunctionName"] == "greet"
        assert rows[2]["ScheduledTime"] <= rows[2]["Timestamp"]
        full = await served.client.get(served.management("instances/i", showHistory="true", showHistoryOutput="true"))
        assert full.json()["historyEvents"][2]["Result"] == "Hello, Ann"
        assert full.json()["historyEvents"][3]["OrchestrationStatus"] == "Completed"

    with_host(tmp_path, talk)


@pytest.mark.parametrize("verb", ["raiseEvent/answered", "terminate", "suspend", "resume"])
def test_a_call_to_an_instance_is_404_if_missing_and_410_if_finished(tmp_path: Path, verb: str) -> None:
    async def talk(served: Served) -> None:
        path = f"instances/{{}}/{verb}"
        assert (await served.client.post(served.management(path.format("none")), json=1)).status_code == 404
        async with waiting(served):
            assert (await served.client.post(served.management(path.format("i")), json=1)).status_code == 202
        await served.client.post(served.management("orchestrators/fails/f"))
        await served.until_finished("f")
        assert (await served.client.post(served.management(path.format("f")), json=1)).status_code == 410

    with_host(tmp_path, talk)


def test_events_must_be_json_in_name_and_in_fact(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        async with waiting(served):
            url = served.management("instances/i/raiseEvent/answered")
            for content, kind in ((b"x", "text/plain"), (b"{", "application/json")):
                reply = await served.client.post(url, content=content, headers={"content-type": kind})
                assert reply.status_code == 400

    with_host(tmp_path, talk)


def test_terminate_records_the_reason(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        async with waiting(served):
            await served.client.post(served.management("instances/i/terminate", reason="so%20it%20goes"))
        body = await served.until_finished("i")
        assert (body["runtimeStatus"], body["output"]) == ("Terminated", "so it goes")

    with_host(tmp_path, talk)


def test_lists_are_filtered_and_paged(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        for n in range(5):
            await served.client.post(served.management(f"orchestrators/waits/job-{n}"))
        await served.client.post(served.management("orchestrators/fails/other"))
        await served.until_finished("other")
        seen: list[str] = []
        headers: dict[str, str] = {}
        while True:
            url = served.management("instances/", top="2", instanceIdPrefix="job-")
            page = await served.client.get(url, headers=headers)
            seen += [body["instanceId"] for body in page.json()]
            if "x-ms-continuation-token" not in page.headers:
                break
            headers = {"x-ms-continuation-token": page.headers["x-ms-continuation-token"]}
        assert seen == [f"job-{n}" for n in range(5)]
        failed = await served.client.get(served.management("instances", runtimeStatus="Failed,Terminated"))
        assert [body["instanceId"] for body in failed.json()] == ["other"]
        future = await served.client.get(served.management("instances", createdTimeFrom="2999-01-01T00:00:00Z"))
        assert future.json() == []

    with_host(tmp_path, talk)


def test_a_purge_by_filter_removes_only_finished_instances(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        async with waiting(served):
            url = served.management("instances/", createdTimeFrom="2000-01-01T00:00:00Z")
            assert (await served.client.delete(url)).status_code == 404
            await served.client.post(served.management("orchestrators/fails/f"))
            await served.until_finished("f")
            assert (await served.client.delete(url)).json() == {"instancesDeleted": 1}
            assert (await served.client.delete(served.management("instances/"))).status_code == 400
            assert (await served.client.delete(served.management("instances/i"))).status_code == 412
            assert (await served.client.delete(served.management("instances/none"))).status_code == 404

    with_host(tmp_path, talk)


def test_restart_rewind_and_entities(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        await served.client.post(served.management("orchestrators/fails/f"), json=5)
        await served.until_finished("f")
        again = await served.client.post(served.management("instances/f/restart"))
        assert again.status_code == 202
        assert (await served.until_finished(again.json()["id"]))["input"] == 5
        same = await served.client.post(served.management("instances/f/restart", restartWithNewInstanceId="false"))
        assert same.json()["id"] == "f"
        await served.until_finished("f")
        assert (await served.client.post(served.management("instances/none/restart"))).status_code == 400
        assert (await served.client.post(served.management("instances/f/rewind", reason="x"))).status_code == 202
        assert (await served.client.post(served.management("instances/none/rewind"))).status_code == 404
        assert (await served.client.get(served.management("entities/Counter/a"))).status_code == 501

    with_host(tmp_path, talk)


def test_the_management_api_requires_its_key_and_the_loopback_base_its_secret(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        path = "/runtime/webhooks/durabletask/instances"
        assert (await served.client.get(path)).status_code == 401
        wrong = {"x-functions-key": served.host.keys.default_function}
        assert (await served.client.get(path, headers=wrong)).status_code == 401
        assert (await served.client.get(path, headers=served.master)).status_code == 200
        assert (await served.client.get("/durabletask/instances")).status_code == 404
        assert (await served.client.get("/durabletask/guess/instances")).status_code == 404
        rpc_base = json.loads(served.host._binding)["rpcBaseUrl"]
        assert (await served.client.get(f"{rpc_base}instances")).status_code == 200

    with_host(tmp_path, talk)


def test_a_function_starts_an_instance_and_hands_out_its_links(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        reply = await served.client.post("/api/begin/job-1", json={"a": "b"})
        links: dict[str, Any] = reply.json()
        assert (reply.status_code, links["id"]) == (202, "job-1")
        assert links["statusQueryGetUri"].startswith(served.base_url)
        status = await served.client.get(links["statusQueryGetUri"])
        assert status.json()["input"] == '{"a": "b"}'

    with_host(tmp_path, talk)
