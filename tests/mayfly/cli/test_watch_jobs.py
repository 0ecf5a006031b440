"""`mayfly watch`: events of jobs as they happen."""

from __future__ import annotations

from tests.mayfly.cli.conftest import Run, Serve
from tests.mayfly.cli.scripted_api import Answer
from tests.mayfly.cli.streams import documents, succeeded


def test_watch_prints_every_event_until_the_container_is_gone(run: Run, serve: Serve) -> None:
    stream = documents(succeeded())
    events = [Answer(body={"events": stream[:3]}), Answer(body={"events": []}), Answer(body={"events": stream[3:]})]
    api = serve({"GET /api/jobs/ada-aaaaaaaaaa/events": events})

    lines = run("watch", "ada-aaaaaaaaaa").out.splitlines()

    assert [line.split()[2] for line in lines] == [document["type"] for document in stream]
    assert "after=3" in api.asked[1].path
