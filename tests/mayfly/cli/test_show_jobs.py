"""`mayfly list`, `show`, `logs` and `export`, and the errors of every command that reads."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.mayfly.cli.conftest import Run, Serve
from tests.mayfly.cli.scripted_api import Answer, problem
from tests.mayfly.cli.streams import documents, failed, running, succeeded, view

LIST = "GET /api/jobs"


def test_list_shows_states_in_words_and_signs(run: Run, serve: Serve) -> None:
    jobs = [view(running()), view(failed(labels={"team": "red"})), view(succeeded(name="resize"))]
    serve({LIST: [Answer(body={"jobs": jobs, "cursor": None})]})

    lines = run("list").out.splitlines()

    assert [line.split()[0] for line in lines] == ["job", "grace-cccccccccc", "alan-bbbbbbbbbb", "ada-aaaaaaaaaa"]
    assert "◑ running" in lines[1]
    assert "✘ failed" in lines[2]
    assert "team=red" in lines[2]
    assert "✔ succeeded" in lines[3]
    assert "resize" in lines[3]


def test_list_passes_its_filters_on(run: Run, serve: Serve) -> None:
    api = serve({LIST: [Answer(body={"jobs": [], "cursor": None})]})

    ran = run(
        "list", "-s", "queued", "-s", "running", "-l", "a=1", "-l", "b=2", "--name", "res", "--archived", "-n", "5"
    )

    assert "no job matches" in ran.out
    assert api.asked[0].path == ("/api/jobs?state=queued%2Crunning&label=a%3D1%2Cb%3D2&name=res&archived=true&limit=6")


def test_list_all_follows_the_cursor_to_the_end(run: Run, serve: Serve) -> None:
    first, second = view(succeeded("ada-aaaaaaaaaa")), view(succeeded("ada-bbbbbbbbbb"))
    pages = [Answer(body={"jobs": [first], "cursor": "c1"}), Answer(body={"jobs": [second], "cursor": None})]
    api = serve({LIST: pages})

    listed = json.loads(run("list", "--all", "--json").out)

    assert [job["job_id"] for job in listed] == ["ada-aaaaaaaaaa", "ada-bbbbbbbbbb"]
    assert "cursor=c1" in api.asked[1].path


def test_list_shows_that_there_are_more(run: Run, serve: Serve) -> None:
    jobs = [view(succeeded(f"ada-aaaaaaaaa{letter}")) for letter in "abc"]
    serve({LIST: [Answer(body={"jobs": jobs, "cursor": "more"})]})

    ran = run("list", "--limit", "2")

    assert "ada-aaaaaaaaab" in ran.out
    assert "ada-aaaaaaaaac" not in ran.out
    assert "--all" in ran.out


def test_show_has_state_spec_attempts_result_and_output(run: Run, serve: Serve) -> None:
    stream = succeeded(env={"A": "1"}, labels={"team": "red"})
    serve({"GET /api/jobs/ada-aaaaaaaaaa": [Answer(body={**view(stream), "links": {}})]})

    text = run("show", "ada-aaaaaaaaaa").out

    for part in ("✔ succeeded", 'message "hi"', "A=1", "team=red", "ada-aaaaaaaaaa-1-local", "gone", '"n": 1', "hi"):
        assert part in text


def test_logs_prints_the_output_as_it_is(run: Run, serve: Serve) -> None:
    body = {"attempt": 1, "source": "log", "text": "a [b]c\n\n  d", "truncated": False}
    serve({"GET /api/jobs/ada-aaaaaaaaaa/logs": [Answer(body=body)]})

    assert run("logs", "ada-aaaaaaaaaa").out == "a [b]c\n\n  d"


def test_logs_of_a_missing_attempt_is_an_error(run: Run, serve: Serve) -> None:
    empty = {"attempt": 0, "source": "none", "text": "", "truncated": False}
    job = Answer(body=view(succeeded()))
    serve({"GET /api/jobs/ada-aaaaaaaaaa/logs": [Answer(body=empty)], "GET /api/jobs/ada-aaaaaaaaaa": [job]})

    ran = run("logs", "ada-aaaaaaaaaa", "--attempt", "4")

    assert ran.exit_code == 2
    assert "has no attempt 4" in ran.err


def test_logs_follow_prints_each_character_once_until_the_job_is_over(run: Run, serve: Serve) -> None:
    open_job, over = running("ada-aaaaaaaaaa"), succeeded("ada-aaaaaaaaaa")
    texts = ["one\n", "one\ntwo\n", "one\ntwo\nthree\n"]
    outputs = [Answer(body={"attempt": 1, "source": "log", "text": text, "truncated": False}) for text in texts]
    jobs = [Answer(body=view(open_job)), Answer(body=view(open_job)), Answer(body=view(over))]
    serve({"GET /api/jobs/ada-aaaaaaaaaa/logs": outputs, "GET /api/jobs/ada-aaaaaaaaaa": jobs})

    assert run("logs", "--follow", "ada-aaaaaaaaaa").out == "one\ntwo\nthree\n"


def test_logs_follow_requests_only_new_output(run: Run, serve: Serve) -> None:
    open_job, over = running("ada-aaaaaaaaaa"), succeeded("ada-aaaaaaaaaa")
    parts = [("one\n", 0, "4-aa"), ("two\n", 4, "8-bb"), ("cut\ntwo\nthree\n", 0, "14-cc")]
    outputs = [
        Answer(body={"attempt": 1, "source": "log", "text": text, "truncated": False, "begin": begin, "mark": mark})
        for text, begin, mark in parts
    ]
    jobs = [Answer(body=view(open_job)), Answer(body=view(open_job)), Answer(body=view(over))]
    api = serve({"GET /api/jobs/ada-aaaaaaaaaa/logs": outputs, "GET /api/jobs/ada-aaaaaaaaaa": jobs})

    assert run("logs", "--follow", "ada-aaaaaaaaaa").out == "one\ntwo\nthree\n"
    asked = [asked.path.partition("?")[2] for asked in api.requests("GET /api/jobs/ada-aaaaaaaaaa/logs")]
    assert asked == ["attempt=1", "attempt=1&after=4-aa", "attempt=1&after=8-bb"]


def test_export_of_the_whole_log_follows_the_pages(run: Run, serve: Serve, tmp_path: Path) -> None:
    stream = [{"global_position": n, **document} for n, document in enumerate(documents(succeeded()), start=1)]
    pages = [
        Answer(body={"events": stream[:2], "next": 2}),
        Answer(body={"events": stream[2:], "next": len(stream)}),
        Answer(body={"events": [], "next": len(stream)}),
    ]
    serve({"GET /api/events": pages})

    ran = run("export", "--output", "log.jsonl")

    assert ran.exit_code == 0
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == stream


def test_export_of_a_job_is_its_stream(run: Run, serve: Serve) -> None:
    stream = documents(failed())
    serve({"GET /api/jobs/alan-bbbbbbbbbb/events": [Answer(body={"events": stream})]})

    assert [json.loads(line) for line in run("export", "alan-bbbbbbbbbb").out.splitlines()] == stream


def test_an_unreachable_api_is_named_with_the_fix(run: Run) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

    ran = run("list", "--url", url)

    assert ran.exit_code == 3
    assert url in ran.err
    assert "mayfly up" in ran.err


def test_a_server_that_is_not_mayfly_is_an_error(run: Run, serve: Serve) -> None:
    serve({LIST: [Answer(body=b"<html>")]})

    ran = run("list")

    assert ran.exit_code == 3
    assert "is not a Mayfly API" in ran.err


def test_a_wrong_key_is_explained(run: Run, serve: Serve) -> None:
    serve({LIST: [Answer(status=401, body=b"")]})

    ran = run("list", "--key", "wrong")

    assert ran.exit_code == 2
    assert "does not accept this key" in ran.err
    assert "MAYFLY_KEY" in ran.err


def test_a_missing_job_is_an_error(run: Run, serve: Serve) -> None:
    refusal = problem(404, "there is no job 'x'", ("job_id", "list the jobs to find the id"))
    serve({"GET /api/jobs/x": [refusal]})

    ran = run("show", "x")

    assert (ran.exit_code, ran.err.splitlines()[0]) == (2, "error: there is no job 'x'")
