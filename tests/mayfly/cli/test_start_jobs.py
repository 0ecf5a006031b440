"""`mayfly submit` and its dry run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mayfly.cli.conftest import Run, Serve
from tests.mayfly.cli.scripted_api import Answer, problem
from tests.mayfly.cli.streams import documents, failed, succeeded, view

JOBS = "POST /api/jobs"
_ACCEPTED = Answer(status=202, body={"job_id": "ada-aaaaaaaaaa", "state": "queued", "links": {}})


def test_submit_sends_the_options_as_a_spec_and_prints_the_id(run: Run, serve: Serve) -> None:
    api = serve({JOBS: [_ACCEPTED]})

    ran = run(
        *("submit", "--message", "hi", "--name", "resize", "--image", "alpine:3", "--env", "A=1", "--env", "B=x=y"),
        *("--secret", "TOKEN=my-token", "--label", "team=red", "--cpu", "0.5", "--memory-gb", "2"),
        *("--start-timeout", "60", "--run-timeout", "90", "--attempts", "3", "--backoff", "5", "--at-most-once"),
        *("--idempotency-key", "k1", "--key", "the-key", "--", "python", "-c", "print(1)"),
    )

    assert (ran.exit_code, ran.out) == (0, "ada-aaaaaaaaaa\n")
    (asked,) = api.asked
    assert asked.body == {
        "message": "hi",
        "command": ["python", "-c", "print(1)"],
        "name": "resize",
        "image": "alpine:3",
        "env": {"A": "1", "B": "x=y"},
        "secrets": {"TOKEN": "my-token"},
        "labels": {"team": "red"},
        "cpu": 0.5,
        "memory_gb": 2.0,
        "start_timeout_s": 60.0,
        "run_timeout_s": 90.0,
        "retry": {"max_attempts": 3, "backoff_s": 5.0},
        "at_most_once": True,
    }
    assert asked.headers["idempotency-key"] == "k1"
    assert asked.headers["x-functions-key"] == "the-key"
    assert asked.headers["x-mayfly-source"] == "cli"


def test_a_command_needs_no_dashes_before_it(run: Run, serve: Serve) -> None:
    api = serve({JOBS: [_ACCEPTED]})

    assert run("submit", "sh", "-c", "exit 3", "--wait").exit_code == 0

    assert api.asked[0].body == {"command": ["sh", "-c", "exit 3", "--wait"]}


def test_options_override_the_file_entry_by_entry(run: Run, serve: Serve, tmp_path: Path) -> None:
    api = serve({JOBS: [_ACCEPTED]})
    spec = {"message": "old", "env": {"A": "1", "B": "2"}, "retry": {"max_attempts": 2, "backoff_factor": 3.0}}
    (tmp_path / "spec.json").write_text(json.dumps(spec))

    assert run("submit", "--file", "spec.json", "-m", "new", "-e", "B=3", "--attempts", "5").exit_code == 0

    assert api.asked[0].body == {
        "message": "new",
        "env": {"A": "1", "B": "3"},
        "retry": {"max_attempts": 5, "backoff_factor": 3.0},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["submit"], "the job is empty"),
        (["submit", "--env", "A", "-m", "x"], "--env must look like K=V (got 'A')"),
        (["submit", "--secret", "=x", "-m", "x"], "--secret must look like VAR=NAME (got '=x')"),
        (["submit", "--file", "missing.json"], "--file missing.json cannot be read: No such file or directory"),
        (["submit", "--comand", "x"], "No such option: --comand"),
        (["list", "--url", "ftp://x"], "the URL must look like"),
    ],
)
def test_a_wrong_command_line_is_rejected_without_a_request(run: Run, arguments: list[str], message: str) -> None:
    ran = run(*arguments)

    assert ran.exit_code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_a_file_that_is_not_a_spec_is_rejected(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "bad.json").write_text("{")

    assert "must contain one JSON object" in run("submit", "--file", "list.json").err
    assert "is not valid JSON" in run("submit", "--file", "bad.json").err


def test_a_problem_document_becomes_a_line_for_each_field(run: Run, serve: Serve) -> None:
    refusal = problem(422, "this is not a job", ("cpu", "must be between 0.1 and 31 (got 64)"), ("name", "is too long"))
    serve({JOBS: [refusal]})

    ran = run("submit", "-m", "x", "--cpu", "64")

    assert ran.exit_code == 2
    lines = ["error: this is not a job", "  cpu: must be between 0.1 and 31 (got 64)", "  name: is too long"]
    assert ran.err.splitlines() == lines


def test_a_repeated_submission_has_the_same_key(run: Run, serve: Serve) -> None:
    busy = Answer(status=429, body={}, headers={"Retry-After": "0"})
    api = serve({JOBS: [busy, Answer(status=503, body=b"not json"), Answer(hang_up=True), _ACCEPTED]})

    assert run("submit", "-m", "x").exit_code == 0

    keys = {asked.headers["idempotency-key"] for asked in api.requests(JOBS)}
    assert len(api.requests(JOBS)) == 4
    assert len(keys) == 1


def test_two_submissions_have_two_keys(run: Run, serve: Serve) -> None:
    api = serve({JOBS: [_ACCEPTED]})

    run("submit", "-m", "x")
    run("submit", "-m", "x")

    assert len({asked.headers["idempotency-key"] for asked in api.asked}) == 2


def test_count_submits_each_copy_with_its_own_key(run: Run, serve: Serve) -> None:
    api = serve({JOBS: [_ACCEPTED]})

    ran = run("submit", "-m", "x", "--count", "20", "--idempotency-key", "batch")

    assert ran.out.splitlines() == ["ada-aaaaaaaaaa"] * 20
    assert sorted(asked.headers["idempotency-key"] for asked in api.asked) == sorted(f"batch-{n}" for n in range(1, 21))


def test_count_stops_at_a_spec_that_is_rejected(run: Run, serve: Serve) -> None:
    api = serve({JOBS: [problem(422, "this is not a job")]})

    assert run("submit", "-m", "x", "--count", "20").exit_code == 2

    assert len(api.asked) == 1


def test_an_interrupted_count_names_the_command_that_submits_the_rest(run: Run, serve: Serve) -> None:
    serve({JOBS: [_ACCEPTED, problem(422, "too much")]})

    ran = run("submit", "-m", "x", "--count", "5", "--idempotency-key", "batch")

    assert ran.exit_code == 2
    assert "at least 1 of 5 were submitted" in ran.err
    assert "--idempotency-key batch" in ran.err


def test_wait_exits_with_0_after_success_and_shows_the_result(run: Run, serve: Serve) -> None:
    stream = documents(succeeded())
    serve({JOBS: [_ACCEPTED], "GET /api/jobs/ada-aaaaaaaaaa/events": [Answer(body={"events": stream})]})

    ran = run("submit", "-m", "x", "--wait")

    assert ran.exit_code == 0
    assert "✔ succeeded" in ran.out
    assert '{"n": 1}' in ran.out


def test_wait_exits_with_1_after_failure_and_says_why(run: Run, serve: Serve) -> None:
    accepted = Answer(status=202, body={"job_id": "alan-bbbbbbbbbb", "state": "queued"})
    stream = documents(failed())
    events = [Answer(body={"events": stream[:1]}), Answer(body={"events": stream[1:]})]
    serve({JOBS: [accepted], "GET /api/jobs/alan-bbbbbbbbbb/events": events})

    ran = run("submit", "-m", "x", "--wait")

    assert ran.exit_code == 1
    assert "✘ failed" in ran.out
    assert "the command exited with code 3" in ran.out


def test_wait_with_json_prints_the_job_and_nothing_else(run: Run, serve: Serve) -> None:
    stream = succeeded()
    serve({JOBS: [_ACCEPTED], "GET /api/jobs/ada-aaaaaaaaaa/events": [Answer(body={"events": documents(stream)})]})

    assert json.loads(run("submit", "-m", "x", "--wait", "--json").out) == view(stream)


@pytest.mark.parametrize("command", [["submit", "--dry-run"], ["plan"]], ids=["submit", "plan"])
def test_a_dry_run_exits_with_1_if_the_job_would_be_blocked(command: list[str], run: Run, serve: Serve) -> None:
    spec = view(succeeded())["spec"]
    plan = {
        "spec": spec,
        "place": "local",
        "price": {"currency": "USD", "per_hour": 0.05, "at_most": 0.1},
        "obstacles": ["there is no secret 'x'"],
        "warnings": ["cpu 1 is not enforced here"],
    }
    api = serve({"POST /api/plan": [Answer(body=plan), Answer(body={**plan, "obstacles": []})]})

    ran = run(*command, "-m", "hi")
    assert ran.exit_code == 1
    for text in ("blocked: there is no secret 'x'", "cpu 1 is not enforced here", "0.0500 USD per hour", "local"):
        assert text in ran.out

    ran = run(*command, "-m", "hi")
    assert ran.exit_code == 0
    assert "ready to run" in ran.out
    assert json.loads(run(*command, "-m", "hi", "--json").out) == {**plan, "obstacles": []}
    assert not api.requests(JOBS)


def test_a_dry_run_rejects_options_that_only_a_submission_has(run: Run, serve: Serve) -> None:
    api = serve({})

    for option in (["--wait"], ["--follow"], ["--count", "2"], ["--idempotency-key", "k"]):
        ran = run("submit", "--dry-run", "-m", "hi", *option)
        assert ran.exit_code == 2
        assert "a dry run submits nothing" in ran.err
    assert not api.asked
