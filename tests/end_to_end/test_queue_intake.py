"""Jobs from the local host's queue: invalid messages become dead letters and do not block the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from mayfly.cli.host_process import LocalHost, free_port
from mayfly.client.connection import local_key
from mayfly.validation import BODY_BYTES_MAX
from tests.waiting import HANG_GUARD_S, until


def test_invalid_messages_are_dead_lettered_with_a_reason_and_the_others_become_jobs(tmp_path: Path) -> None:
    host = LocalHost(tmp_path / "data", free_port(), log=tmp_path / "host.log", clean_settings=True)
    child = host.start()
    try:
        child.wait_until_ready()
        key = local_key(host.data)
        assert key is not None
        with httpx.Client(base_url=host.url, headers={"x-functions-key": key}, timeout=HANG_GUARD_S) as client:
            sent = {
                "poison": b'{"comand": ["true"]}',
                "bytes": b"\xff\xfe",
                "huge": b"x" * (BODY_BYTES_MAX + 1),
                "good": b'{"command": ["true"], "name": "first"}',
            }
            for message_id, body in [*sent.items(), ("good", sent["good"])]:
                answer = client.post(
                    "/runtime/webhooks/queues/jobs",
                    content=body,
                    headers={"message-id": message_id, "content-type": ""},
                )
                assert answer.status_code == 201, answer.text
            dead = _listed(lambda: client.get("/runtime/webhooks/queues/jobs/deadletter").json(), 3)
            assert {letter["messageId"] for letter in dead} == {"poison", "bytes", "huge"}
            refusals = {one["message_id"]: one["reason"] for one in client.get("/api/intake").json()["refusals"]}
            assert "did you mean `command`?" in refusals.pop("poison")
            assert "UTF-8" in refusals.pop("bytes")
            assert f"at most {BODY_BYTES_MAX} bytes" in refusals.pop("huge")
            assert refusals == {}
            (job,) = _listed(lambda: client.get("/api/jobs?state=succeeded").json()["jobs"], 1)
            assert (job["source"], job["idempotency_key"]) == ("queue", "good")
    finally:
        child.stop()


def _listed(look: Callable[[], Any], count: int) -> list[Any]:
    """Wait until that many are listed, and return them."""
    listed: list[Any] = []

    def are_listed() -> bool:
        listed[:] = look()
        return len(listed) >= count

    until(are_listed, shown=lambda: listed)
    return listed
