"""HTTP triggers, keys and the guard, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local_host.driving import Served, serving, until

APP = """
import json
import azure.functions as func
import azure.durable_functions as df
app = func.FunctionApp()
called = []

@app.route(route="open/{id}/{n:int?}", auth_level=func.AuthLevel.ANONYMOUS)
async def look(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    called.append(req.url)
    seen = {
        "method": req.method, "route": dict(req.route_params), "params": dict(req.params), "url": req.url,
        "header": req.headers.get("X-One"), "body": req.get_body().decode(), "function": context.function_name,
        "invocation": context.invocation_id,
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"X-Two": "2"})

@app.route(route="keyed", methods=["GET"])
def keyed(req: func.HttpRequest) -> str:
    return "in"

@app.route(route="owner", auth_level=func.AuthLevel.ADMIN)
def owner(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(b"\\x00\\x01", status_code=201, mimetype="application/octet-stream")

@app.route(route="breaks", auth_level=func.AuthLevel.ANONYMOUS)
def breaks(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("secret detail")

@app.route(route="nothing", auth_level=func.AuthLevel.ANONYMOUS)
def nothing(req: func.HttpRequest):
    return None

@app.route(route="files/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
def files(req: func.HttpRequest) -> str:
    return req.route_params.get("rest", "-")

@app.route(route="files/readme", auth_level=func.AuthLevel.ANONYMOUS)
def readme(req: func.HttpRequest) -> str:
    return "the literal one"

@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="t")
def yearly(t: func.TimerRequest) -> None:
    called.append("yearly")
"""


def with_host(tmp_path: Path, talk: Callable[[Served], Awaitable[None]], **files: Any) -> None:
    async def go() -> None:
        async with serving(tmp_path, APP, body_bytes_max=1000, **files) as served:
            await talk(served)

    asyncio.run(go())


def test_a_function_sees_the_whole_request(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        reply = await served.client.put("/api/open/a%20b/7?x=1&y=%C3%BC", content="hi", headers={"X-One": "1"})
        seen = reply.json()
        assert len(seen.pop("invocation")) == 36
        assert seen == {
            "method": "PUT",
            "route": {"id": "a b", "n": "7"},
            "params": {"x": "1", "y": "ü"},
            "url": f"{served.base_url}/api/open/a%20b/7?x=1&y=%C3%BC",
            "header": "1",
            "body": "hi",
            "function": "look",
        }
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-two"] == "2"

    with_host(tmp_path, talk)


def test_the_most_specific_route_wins_and_no_match_is_404(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        get = served.client.get
        assert (await get("/api/files/README")).text == "the literal one"
        assert (await get("/api/files/a/b/c.txt")).text == "a/b/c.txt"
        assert (await get("/api/files")).text == "-"
        assert (await get("/api/open/a")).status_code == 200
        assert (await get("/api/open/a/x")).status_code == 404
        assert (await get("/api/none")).status_code == 404
        assert (await get("/open/a")).status_code == 404
        assert (await served.client.post("/api/keyed", headers=served.master)).status_code == 404
        assert (await get("/")).status_code == 200

    with_host(tmp_path, talk)


def test_the_prefix_is_that_of_host_json(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        assert (await served.client.get("/files/a")).text == "a"

    with_host(tmp_path, talk, host_json={"version": "2.0", "extensions": {"http": {"routePrefix": ""}}})


def test_each_level_accepts_only_its_own_keys(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        keys = served.host.keys
        expected = {
            None: (401, 401),
            "wrong": (401, 401),
            keys.durable_system: (401, 401),
            keys.default_function: (200, 401),
            keys.master: (200, 201),
        }
        for key, codes in expected.items():
            headers = {"x-functions-key": key} if key else {}
            assert (await served.client.get("/api/keyed", headers=headers)).status_code == codes[0]
            assert (await served.client.get("/api/owner", headers=headers)).status_code == codes[1]
        by_query = await served.client.get(f"/api/keyed?code={keys.default_function}")
        assert (by_query.status_code, by_query.text) == (200, "in")

    with_host(tmp_path, talk)


def test_keys_survive_a_restart_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    seen: list[str] = []

    async def talk(served: Served) -> None:
        seen.append(served.host.keys.master)

    with_host(tmp_path, talk)
    with_host(tmp_path, talk)
    assert seen[0] == seen[1]
    assert (tmp_path / "data" / "keys.json").stat().st_mode & 0o777 == 0o600


def test_a_failing_function_is_500_and_its_details_are_only_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk(served: Served) -> None:
        reply = await served.client.get("/api/breaks")
        assert reply.status_code == 500
        assert "secret" not in reply.text

    with_host(tmp_path, talk)
    assert "secret detail" in caplog.text


def test_nothing_is_204_and_bytes_are_bytes(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        nothing = await served.client.get("/api/nothing")
        assert (nothing.status_code, nothing.content) == (204, b"")
        data = await served.client.get("/api/owner", headers=served.master)
        assert (data.content, data.headers["content-type"]) == (b"\x00\x01", "application/octet-stream")

    with_host(tmp_path, talk)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "localhost:1", "127.0.0.1.nip.io:{port}", ""])
def test_a_request_for_another_host_is_refused_before_any_function_runs(tmp_path: Path, host: str) -> None:
    async def talk(served: Served) -> None:
        port = served.base_url.rpartition(":")[2]
        reply = await served.client.get("/api/open/a", headers={"Host": host.format(port=port)})
        assert reply.status_code == 403
        assert reply.headers["content-type"] == "application/problem+json"

    with_host(tmp_path, talk)


def test_pages_of_other_origins_are_refused_and_our_own_are_not(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        port = served.base_url.rpartition(":")[2]
        for origin in ("http://evil.example", "null", "https://localhost", f"http://localhost.evil:{port}"):
            reply = await served.client.post("/api/open/a", headers={"Origin": origin})
            assert reply.status_code == 403, origin
        for origin in (served.base_url, f"http://localhost:{port}"):
            reply = await served.client.post("/api/open/a", headers={"Origin": origin, "Host": f"localhost:{port}"})
            assert reply.status_code == 200, origin

    with_host(tmp_path, talk)


def test_a_picture_of_another_site_is_refused_and_a_link_is_followed(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        for mode, code in (("no-cors", 403), ("navigate", 200)):
            headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
            assert (await served.client.get("/api/open/a", headers=headers)).status_code == code

    with_host(tmp_path, talk)


def test_a_body_that_is_too_large_is_413_announced_or_not(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield b"x" * 100

        announced = await served.client.post("/api/open/a", content=b"x" * 1001)
        streamed = await served.client.post("/api/open/a", content=chunks())
        assert (announced.status_code, streamed.status_code) == (413, 413)
        assert (await served.client.post("/api/open/a", content=b"x" * 1000)).status_code == 200

    with_host(tmp_path, talk)


def test_the_owner_lists_functions_and_runs_a_timer_by_hand(tmp_path: Path) -> None:
    async def talk(served: Served) -> None:
        assert (await served.client.get("/admin/functions")).status_code == 401
        weaker = {"x-functions-key": served.host.keys.default_function}
        assert (await served.client.get("/admin/functions", headers=weaker)).status_code == 401
        listed = await served.client.get("/admin/functions", headers=served.master)
        assert "yearly" in [each["name"] for each in listed.json()]
        status = await served.client.get("/admin/host/status", headers=served.master)
        assert status.json()["state"] == "Running"
        run = await served.client.post("/admin/functions/Yearly", json={"input": ""}, headers=served.master)
        assert run.status_code == 202
        called = served.host.app.functions[-1].call.__globals__["called"]
        await until(lambda: "yearly" in called)
        for name, code in (("keyed", 404), ("nobody", 404)):
            refused = await served.client.post(f"/admin/functions/{name}", json={}, headers=served.master)
            assert refused.status_code == code

    with_host(tmp_path, talk)
