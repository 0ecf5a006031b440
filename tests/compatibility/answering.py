"""One answer of every operation of the HTTP API, over the recorded folder; and one of every query parameter."""

from __future__ import annotations

from typing import Any

from tests.compatibility import recorded
from tests.compatibility.opened import Opened

_CALLS: dict[str, dict[str, Any]] = {
    "GET /api/health": {},
    "GET /api/openapi.json": {},
    "GET /api/jobs": {"params": {"limit": "200", "archived": "true"}},
    "GET /api/jobs/{job_id}": {},
    "GET /api/jobs/{job_id}/events": {},
    "GET /api/jobs/{job_id}/logs": {},
    "GET /api/jobs/{job_id}/metrics": {},
    "GET /api/events": {},
    "GET /api/intake": {},
    "POST /api/plan": {"body": {"message": "hi"}},
    "POST /api/jobs": {"body": {"message": "hi"}},
    "POST /api/jobs/{job_id}/reports": {"body": {"type": "started"}},
    "POST /api/jobs/{job_id}/cancel": {"body": {"reason": "enough"}},
    "POST /api/jobs/{job_id}/archive": {},
    "POST /api/jobs/clear": {},
}
"""In this order: the last ones end jobs. A report is of the worker whose token is recorded."""


def answers(opened: Opened) -> dict[str, Any]:
    """Return the JSON of each answer, rejections included; some jobs are canceled in the process."""
    expected = recorded.expected()
    worker = expected["in_flight"]["outlives"]
    claim = expected["jobs"][worker]["attempts"][0]["claim"]
    found = {}
    for call, request in _CALLS.items():
        method, _, path = call.partition(" /api/")
        sent = dict(request)
        job_id = next(job_id for job_id in expected["jobs"] if job_id.startswith("eleventh"))
        if path.endswith("/reports"):
            job_id, sent["body"] = worker, {**request["body"], "claim": claim}
            sent["headers"] = {"Authorization": f"Bearer {expected['workers']['outlives']}"}
        answer = opened.call(method, path.format(job_id=job_id), **sent)
        assert answer.status in (200, 202), (call, answer.text)
        found[call] = answer.json if path != "openapi.json" else {}
    found["a job that is refused"] = opened.call("POST", "jobs", body={"mesage": "hi"}).json
    return found


def query_values() -> dict[str, dict[str, str]]:
    """Return a good value of each query parameter, by operation."""
    expected = recorded.expected()
    mark = next(found[0]["mark"] for found in expected["outputs"].values() if found)
    cursor = expected["cursor"]["cursor"]
    moment = "2026-01-31T12:00:00Z"
    jobs = {"state": "queued,failed", "label": "a=b", "name": "a", "after": moment, "before": moment}
    return {
        "GET /api/jobs": {**jobs, "archived": "true", "limit": "5", "cursor": cursor},
        "GET /api/jobs/{job_id}/events": {"after": "1", "limit": "2"},
        "GET /api/jobs/{job_id}/logs": {"attempt": "1", "after": mark},
        "GET /api/jobs/{job_id}/metrics": {"attempt": "1"},
        "GET /api/events": {"after": "1", "limit": "2"},
        "GET /api/intake": {"limit": "2"},
        "POST /api/jobs/clear": {"cursor": cursor},
    }
