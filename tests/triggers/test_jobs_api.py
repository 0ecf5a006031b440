"""The users' API when all is well: from the start of a job to its archive, as a client sees it."""

from __future__ import annotations

from typing import Any

import pytest

from mayfly.containers.runtime import MetricSample
from mayfly.errors import TryAgain
from mayfly.use_cases import clear
from tests.mayfly.composed import STARTED, SUCCEEDED
from tests.mayfly.jobs.samples import CLAIM, T0
from tests.triggers.function_host import ORIGIN, FunctionHost
from tests.triggers.problems import assert_refused, unchanged_log
from triggers.log_cursor import cursor_at_end


def _start(api: FunctionHost, **spec: Any) -> str:
    job_id: str = api.call("POST", "jobs", body={"message": "hi", **spec}).json["job_id"]
    return job_id


def _finish(api: FunctionHost, job_id: str) -> None:
    api.perform("begin_attempt", job_id)
    assert api.report(job_id, STARTED).status == 202
    assert api.report(job_id, SUCCEEDED).status == 202
    api.perform("end_attempt", job_id)


def test_a_start_is_accepted_with_its_location_its_links_and_an_orchestrator(api: FunctionHost) -> None:
    answer = api.call("POST", "jobs", body={"message": "hi", "name": "resize"})
    job_id = answer.json["job_id"]
    assert answer.status == 202
    assert answer.headers["Location"] == f"{ORIGIN}/api/jobs/{job_id}"
    assert answer.json["state"] == "queued"
    assert answer.json["links"] == {
        "self": f"{ORIGIN}/api/jobs/{job_id}",
        **{name: f"{ORIGIN}/api/jobs/{job_id}/{name}" for name in ("events", "logs", "metrics", "cancel")},
    }
    assert "Idempotency-Replayed" not in answer.headers
    assert api.durable.statuses == {job_id: "Running"}


def test_every_link_of_a_start_leads_somewhere(api: FunctionHost) -> None:
    links = api.call("POST", "jobs", body={"message": "hi"}).json["links"]
    for name, link in links.items():
        method = "POST" if name == "cancel" else "GET"
        assert api.call(method, link.removeprefix(f"{ORIGIN}/api/")).status in (200, 202)


def test_the_same_key_answers_with_the_same_job_and_starts_nothing(api: FunctionHost) -> None:
    headers = {"Idempotency-Key": "order-17"}
    first = api.call("POST", "jobs", body={"message": "hi"}, headers=headers)
    with unchanged_log(api):
        second = api.call("POST", "jobs", body={"message": "hi"}, headers=headers)
    assert (second.status, second.json) == (202, first.json)
    assert second.headers["Idempotency-Replayed"] == "true"
    with unchanged_log(api):
        other = api.call("POST", "jobs", body={"message": "ho"}, headers=headers)
        assert_refused(other, 422, "header.Idempotency-Key", "use a new key for a new job")


@pytest.mark.parametrize(("header", "source"), [(None, "http"), ("cli", "cli"), ("dashboard", "dashboard")])
def test_the_source_is_in_the_log(api: FunctionHost, header: str | None, source: str) -> None:
    headers = {"X-Mayfly-Source": header} if header else {}
    job_id = api.call("POST", "jobs", body={"message": "hi"}, headers=headers).json["job_id"]
    assert api.call("GET", f"jobs/{job_id}").json["source"] == source


def test_a_job_is_shown_whole_at_every_moment(api: FunctionHost) -> None:
    job_id = _start(api, labels={"team": "blue"})
    assert api.call("GET", f"jobs/{job_id}").json["state"] == "queued"
    api.perform("begin_attempt", job_id)
    assert api.call("GET", f"jobs/{job_id}").json["state"] == "starting"
    assert api.report(job_id, STARTED).json == {"verdict": "accept"}
    progress = {"type": "progress", "claim": CLAIM, "sequence": 1, "fraction": 0.5, "message": "half"}
    assert api.report(job_id, progress).status == 202
    shown = api.call("GET", f"jobs/{job_id}").json
    assert shown["state"] == "running"
    assert shown["attempts"][0]["progress"]["fraction"] == 0.5
    assert api.report(job_id, SUCCEEDED).status == 202
    shown = api.call("GET", f"jobs/{job_id}").json
    assert (shown["state"], shown["result"], shown["attempts"][0]["exit_code"]) == ("succeeded", {"sum": 3}, 0)
    assert api.durable.raised == [(job_id, "attempt-1-ended")]
    api.perform("end_attempt", job_id)
    assert api.call("GET", f"jobs/{job_id}").json["attempts"][0]["container"] == "gone"


def test_a_repeated_report_is_answered_as_seen(api: FunctionHost) -> None:
    """I7: every report may arrive twice."""
    job_id = _start(api)
    api.perform("begin_attempt", job_id)
    for body in (STARTED, SUCCEEDED):
        assert api.report(job_id, body).status == 202
        with unchanged_log(api):
            again = api.report(job_id, body)
        assert (again.status, again.json) == (200, {"verdict": "seen"})
    assert api.durable.raised == [(job_id, "attempt-1-ended")] * 2, "the first wake may have been lost"


def test_a_failure_is_shown_with_its_class_and_message(api: FunctionHost) -> None:
    job_id = _start(api)
    api.perform("begin_attempt", job_id)
    api.report(job_id, STARTED)
    error = {"class": "signal", "message": "killed by signal 9"}
    body = {"type": "finished", "claim": CLAIM, "outcome": "failed", "error": error, "output_tail": "oh"}
    assert api.report(job_id, body).status == 202
    shown = api.call("GET", f"jobs/{job_id}").json
    assert (shown["state"], shown["error"], shown["message"]) == ("failed", "signal", "killed by signal 9")
    assert shown["output"] == "oh"


def test_the_stream_is_paged_by_position(api: FunctionHost) -> None:
    job_id = _start(api)
    _finish(api, job_id)
    everything = api.call("GET", f"jobs/{job_id}/events").json["events"]
    assert [event["position"] for event in everything] == list(range(1, 9))
    assert {tuple(event) for event in everything} == {
        ("job_id", "position", "type", "at", "attempt", "source", "data", "version")
    }
    part = api.call("GET", f"jobs/{job_id}/events", params={"after": "2", "limit": "3"}).json["events"]
    assert part == everything[2:5]


def test_the_whole_log_is_paged_by_global_position(api: FunctionHost) -> None:
    jobs = [_start(api) for _ in range(3)]
    first = api.call("GET", "events", params={"limit": "2"}).json
    rest = api.call("GET", "events", params={"after": str(first["next"])}).json
    assert [event["job_id"] for event in (*first["events"], *rest["events"])] == jobs
    end = api.call("GET", "events", params={"after": str(rest["next"])}).json
    assert end == {"events": [], "next": rest["next"]}


def test_output_is_json_or_plain_text(api: FunctionHost) -> None:
    job_id = _start(api)
    api.perform("begin_attempt", job_id)
    api.composed.runtime.texts[f"{job_id}-1-local"] = "héllo\n"
    answer = api.call("GET", f"jobs/{job_id}/logs").json
    mark = answer.pop("mark")
    assert answer == {"attempt": 1, "source": "container", "text": "héllo\n", "truncated": False, "begin": 0}
    assert mark == cursor_at_end("héllo\n")
    bare = api.call("GET", f"jobs/{job_id}/logs", params={"attempt": "1"}, headers={"Accept": "text/plain"})
    assert (bare.text, bare.headers["Content-Type"]) == ("héllo\n", "text/plain")


def test_only_output_after_a_mark_is_sent_while_its_beginning_is_the_same(api: FunctionHost) -> None:
    job_id = _start(api)
    api.perform("begin_attempt", job_id)
    texts = api.composed.runtime.texts

    def asked(text: str, mark: str) -> tuple[str, int]:
        texts[f"{job_id}-1-local"] = text
        answer = api.call("GET", f"jobs/{job_id}/logs", params={"after": mark}).json
        return answer["text"], answer["begin"]

    mark = cursor_at_end("héllo\n")
    assert asked("héllo\n", mark) == ("", 6)
    assert asked("héllo\nworld\n", mark) == ("world\n", 6)
    assert asked("llo\nworld\n", mark) == ("llo\nworld\n", 0)
    assert asked("", mark) == ("", 0)


def test_samples_have_their_units_in_their_names(api: FunctionHost) -> None:
    job_id = _start(api)
    api.perform("begin_attempt", job_id)
    api.composed.runtime.samples[f"{job_id}-1-local"] = [MetricSample(at=T0, cpu_cores=0.5, memory_bytes=7)]
    answer = api.call("GET", f"jobs/{job_id}/metrics").json
    assert answer["samples"] == [{"at": T0.isoformat(), "cpu_cores": 0.5, "memory_bytes": 7}]


def test_a_cancel_is_accepted_and_wakes_the_orchestrator(api: FunctionHost) -> None:
    job_id = _start(api)
    answer = api.call("POST", f"jobs/{job_id}/cancel", body={"reason": "enough"})
    assert answer.status == 202
    assert (answer.json["state"], answer.json["archived"]) == ("canceled", False)
    assert api.durable.raised == [(job_id, "cancel-requested")]
    again = api.call("POST", f"jobs/{job_id}/cancel")
    assert (again.status, again.json["state"]) == (202, "canceled")


def test_a_cancel_succeeds_if_the_orchestrator_is_missing_finished_or_unavailable(api: FunctionHost) -> None:
    for status in (None, "Completed", "Failed", "broken"):
        job_id = _start(api)
        del api.durable.statuses[job_id]
        if status == "broken":
            api.durable.broken = True
        elif status is not None:
            api.durable.statuses[job_id] = status
        assert api.call("POST", f"jobs/{job_id}/cancel").json["state"] == "canceled"


def test_a_start_succeeds_if_the_durable_host_is_unavailable_or_has_the_instance(api: FunctionHost) -> None:
    headers = {"Idempotency-Key": "order-17"}
    api.durable.broken = True
    job_id = api.call("POST", "jobs", body={"message": "hi"}, headers=headers).json["job_id"]
    assert api.durable.statuses == {}
    api.durable.broken = False
    for _ in range(2):
        assert api.call("POST", "jobs", body={"message": "hi"}, headers=headers).status == 202
    assert api.durable.statuses == {job_id: "Running"}


def test_only_a_finished_job_can_be_archived(api: FunctionHost) -> None:
    job_id = _start(api)
    with unchanged_log(api):
        refused = api.call("POST", f"jobs/{job_id}/archive")
        assert_refused(refused, 409, "job_id", "is still queued: cancel it first, or wait until it ends")
    _finish(api, job_id)
    answer = api.call("POST", f"jobs/{job_id}/archive")
    assert (answer.status, answer.json["archived"]) == (202, True)


def test_a_clear_returns_its_counts_and_the_next_cursor(api: FunctionHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clear, "CLEAR_STEP_S", 0)
    monkeypatch.setattr(clear, "_CLEAR_BATCH", 1)
    ended = _start(api)
    _start(api)
    _finish(api, ended)
    api.composed.project()
    answer = api.call("POST", "jobs/clear")
    rest = api.call("POST", "jobs/clear", params={"cursor": answer.json["cursor"]})
    assert (answer.status, rest.status) == (202, 202)
    assert answer.json["canceled"] + rest.json["canceled"] == 1
    assert (answer.json["archived"], rest.json["archived"], rest.json["cursor"]) == (1, 1, None)


def test_the_list_is_filtered_and_paged(api: FunctionHost) -> None:
    blue, red = _start(api, labels={"team": "blue", "note": "a, b"}), _start(api, labels={"team": "red"}, name="resize")
    api.composed.clock.advance(60)
    late = _start(api)
    _finish(api, late)
    api.composed.project()

    def listed(**params: str) -> list[str]:
        return [job["job_id"] for job in api.call("GET", "jobs", params=params).json["jobs"]]

    assert listed() == [late, *sorted((blue, red), reverse=True)]
    assert listed(state="succeeded") == [late]
    assert set(listed(state="queued,running")) == {blue, red}
    assert listed(label="team=blue") == [blue]
    assert listed(label='team=blue,"note=a, b"') == [blue]
    assert listed(name="resize") == [red]
    assert listed(after="2026-01-31T12:00:30Z") == [late]
    assert listed(before="2026-01-31T12:00:30") == sorted((blue, red), reverse=True)
    first = api.call("GET", "jobs", params={"limit": "2"}).json
    rest = api.call("GET", "jobs", params={"limit": "2", "cursor": first["cursor"]}).json
    assert [job["job_id"] for job in (*first["jobs"], *rest["jobs"])] == listed()
    assert rest["cursor"] is None


def test_a_plan_fills_in_the_defaults_prices_it_and_creates_nothing(api: FunctionHost) -> None:
    body = {"message": "hi", "cpu": 2, "memory_gb": 4, "image": "busybox", "command": ["true"]}
    with unchanged_log(api):
        answer = api.call("POST", "plan", body={**body, "secrets": {"DB": "db-password"}})
    assert answer.status == 200
    planned = answer.json
    assert planned["spec"]["run_timeout_s"] == 3_600
    assert planned["place"] == "local"
    assert planned["price"]["per_hour"] == pytest.approx(2 * 0.05 + 4 * 0.005)
    assert planned["price"]["at_most"] == pytest.approx(0.12 * 1.5)
    assert planned["obstacles"] == ["there is no secret 'db-password': add db-password"]
    assert planned["warnings"][0] == "image busybox is recorded but ignored: the command runs directly on this machine"
    assert api.composed.runtime.requests == []


def test_a_defect_is_a_500_without_details(
    api: FunctionHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the inner words")

    monkeypatch.setattr(type(api.composed.mayfly.log), "read_all", broken)
    answer = api.call("GET", "health")
    assert answer.status == 500
    assert "inner words" not in answer.text
    assert "inner words" in caplog.text


def test_an_unavailable_store_is_a_503_with_a_time_to_retry(api: FunctionHost, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: Any, **__: Any) -> None:
        raise TryAgain("the disk is gone")

    monkeypatch.setattr(type(api.composed.mayfly.log), "read_all", silent)
    answer = api.call("GET", "health")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert "disk" not in answer.text
