"""The HTTP client: which answers it retries, for how long, and how an error reads."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from mayfly.client.api import Api, Output
from mayfly.client.errors import BadRequest, Unreachable
from tests.mayfly.cli.scripted_api import Answer, problem
from tests.mayfly.cli.scripted_api import ScriptedApi as Script

PLAN = "POST /api/plan"
_OK = Answer(body={"place": "local"})


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _client(url: str, clock: Clock, *, patience_s: float = 30.0) -> Api:
    return Api(url, "key", patience_s=patience_s, sleep=clock.sleep, monotonic=clock.monotonic)


def _plan(script: Mapping[str, Sequence[Answer]], clock: Clock, *, times: int = 1) -> int:
    """Request a plan and return the number of requests."""
    with Script(script).serving() as api, _client(api.url, clock) as client:
        for _ in range(times):
            assert client.plan({}) == _OK.body
        return len(api.asked)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_transient_status_is_retried(status: int) -> None:
    assert _plan({PLAN: [Answer(status=status), _OK]}, Clock()) == 2


def test_a_broken_connection_is_retried() -> None:
    assert _plan({PLAN: [Answer(hang_up=True), Answer(hang_up=True), _OK]}, Clock()) == 3


def test_the_wait_that_the_api_asks_for_is_kept() -> None:
    clock = Clock()
    _plan({PLAN: [Answer(status=429, headers={"Retry-After": "7"}), _OK]}, clock)
    assert clock.now == 7.0


def test_waits_grow_to_two_seconds_until_the_patience_is_used_up() -> None:
    clock = Clock()
    with Script({PLAN: [Answer(status=503)]}).serving() as api, _client(api.url, clock) as client:
        with pytest.raises(Unreachable, match="answered with 503"):
            client.plan({})
        assert 28.0 < clock.now <= 30.0
        assert len(api.asked) > 15


def test_a_500_is_given_up_sooner_than_an_outage() -> None:
    clock = Clock()
    with Script({PLAN: [Answer(status=500)]}).serving() as api, _client(api.url, clock) as client:
        with pytest.raises(Unreachable):
            client.plan({})
        assert clock.now <= 3.0


def test_an_api_that_has_never_answered_is_given_up_within_a_second() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    clock = Clock()
    with _client(url, clock) as client, pytest.raises(Unreachable, match="does not answer") as raised:
        client.plan({})
    assert clock.now <= 1.0
    assert raised.value.lines == ("start it with `mayfly up`, or choose another with --url or MAYFLY_URL",)


def test_a_problem_document_is_a_bad_request_with_a_line_per_field() -> None:
    script = {PLAN: [problem(422, "invalid job spec", ("cpu", "must be between 0.1 and 31 (got 64)"))]}
    with Script(script).serving() as api, _client(api.url, Clock()) as client:
        with pytest.raises(BadRequest) as raised:
            client.plan({"cpu": 64})
        assert (raised.value.status, raised.value.text) == (422, "invalid job spec")
        assert raised.value.lines == ("cpu: must be between 0.1 and 31 (got 64)",)
        assert len(api.asked) == 1


@pytest.mark.parametrize(("given", "limit_s"), [({}, 2.0), ({"within_s": 10.0}, 10.0)])
def test_a_health_check_waits_two_seconds_by_default(given: dict[str, float], limit_s: float) -> None:
    limits: list[dict[str, float]] = []
    with Script({"GET /api/health": [Answer()]}).serving() as api, _client(api.url, Clock()) as client:
        client._http.event_hooks["request"] = [lambda request: limits.append(request.extensions["timeout"])]
        assert client.healthy(**given)
    assert set(limits[0].values()) == {limit_s}


def test_a_state_that_this_client_does_not_know_is_an_error_with_a_fix() -> None:
    answer = Answer(status=202, body={"state": "paused"})
    with (
        Script({"POST /api/jobs/a-b/cancel": [answer]}).serving() as api,
        _client(api.url, Clock()) as client,
        pytest.raises(Unreachable, match="unknown state 'paused'; update this Mayfly client"),
    ):
        client.cancel("a-b")


def test_known_output_is_completed_with_the_newer_part() -> None:
    body = {"attempt": 1, "source": "log", "truncated": False, "text": "two\n", "begin": 4, "mark": "8-bb"}
    with Script({"GET /api/jobs/x/logs": [Answer(body=body)]}).serving() as api:
        with _client(api.url, Clock()) as client:
            known = Output(attempt=1, source="log", text="one\n", truncated=False, cursor="4-aa")
            found = client.output("x", attempt=1, known=known)
        assert (found.text, found.cursor) == ("one\ntwo\n", "8-bb")
        assert api.asked[0].path == "/api/jobs/x/logs?attempt=1&after=4-aa"


@pytest.mark.parametrize("url", ["ftp://example.org", "http://", "example.org", "http://[::1"])
def test_a_bad_url_is_an_error_with_an_example(url: str) -> None:
    with pytest.raises(BadRequest, match="the URL must look like"):
        Api(url, None)
