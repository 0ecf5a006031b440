from __future__ import annotations

from mayfly.client.api import Api
from mayfly.client.follow import Follower
from tests.mayfly.cli.scripted_api import Answer, ScriptedApi
from tests.mayfly.cli.streams import documents, failed, folded, succeeded


def test_each_poll_reads_on_from_the_last_position_until_every_job_is_settled() -> None:
    ada, alan = succeeded(), failed()
    script = {
        "GET /api/jobs/ada-aaaaaaaaaa/events": [
            Answer(body={"events": documents(ada[:3])}),
            Answer(body={"events": documents(ada[3:])}),
        ],
        "GET /api/jobs/alan-bbbbbbbbbb/events": [Answer(body={"events": documents(alan)})],
    }
    with ScriptedApi(script).serving() as served, Api(served.url, None) as api:
        with Follower(api, ["ada-aaaaaaaaaa", "alan-bbbbbbbbbb"]) as follower:
            assert follower.poll() == sorted([*ada[:3], *alan], key=lambda event: (event.at, event.job_id))
            assert (follower.over, follower.settled) == (False, False)
            assert follower.poll() == ada[3:]
            assert (follower.over, follower.settled) == (True, True)
            assert follower.jobs == {"ada-aaaaaaaaaa": folded(ada), "alan-bbbbbbbbbb": folded(alan)}
            assert follower.poll() == []
        assert served.requests("GET /api/jobs/ada-aaaaaaaaaa/events")[1].path.endswith("after=3&limit=1000")
        assert len(served.requests("GET /api/jobs/alan-bbbbbbbbbb/events")) == 1
