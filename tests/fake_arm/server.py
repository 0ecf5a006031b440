"""The fake on a port: HTTP without TLS, which the SDK speaks when `enforce_https` is false."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from tests.fake_arm.arm import ConnectionLost, FakeArm

_BACKLOG = 1_024
"""A backlog of 5 loses connections when many arrive at once, and costs a second for each."""
_SETTLE_EVERY_S = 0.02


@asynccontextmanager
async def serving(arm: FakeArm, *, port: int = 0, by_itself: bool = True) -> AsyncIterator[str]:
    """Serve until the block is left; the value is the endpoint's address.

    `by_itself`: containers start at their time, and not only when a request concerns them.
    """

    async def handle(request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return web.json_response({"error": {"code": "AuthenticationFailed", "message": "no token"}}, status=401)
        text = await request.text()
        try:
            answer = await arm.answer(request.method, request.path, json.loads(text) if text else None)
        except ConnectionLost:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        headers = dict(answer.headers)
        for name in ("Azure-AsyncOperation",):
            if name in headers:
                headers[name] = f"{request.url.origin()}{headers[name]}"
        body = "" if answer.body is None else json.dumps(answer.body)
        arm.bodies.append(body)
        return web.Response(status=answer.status, text=body, content_type="application/json", headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=_BACKLOG)
    await site.start()
    settling = asyncio.create_task(_settle(arm)) if by_itself else None
    try:
        bound = runner.addresses[0][1]
        yield f"http://127.0.0.1:{bound}"
    finally:
        if settling is not None:
            settling.cancel()
            with suppress(asyncio.CancelledError):
                await settling
        await runner.cleanup()


async def _settle(arm: FakeArm) -> None:
    while True:
        await arm.settle()
        await asyncio.sleep(_SETTLE_EVERY_S)
