"""The worker's callback. Its bearer token authorizes one attempt of one job; no function key is involved."""

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from mayfly.errors import FieldError
from mayfly.jobs.reports import Verdict
from mayfly.use_cases.receive_report import Report, receive
from triggers.answers import answer, body_of, job_id_of, problem
from triggers.bodies import Received
from triggers.durable import DurableOrchestrators
from triggers.operations import operation

reports_api = df.Blueprint()

_REJECTIONS: dict[Verdict, tuple[int, str, str]] = {
    "claimed_by_another": (409, "attempt already claimed by another worker", "exit with code 0 without doing the work"),
    "not_claimed": (409, "attempt not claimed", "report `started` with this claim before any other report"),
    "attempt_over": (410, "attempt already over", "stop and exit with code 0: no report can change its outcome"),
}


@operation(
    "POST",
    "jobs/{job_id}/reports",
    blueprint=reports_api,
    tag="worker",
    accepts=Report,
    status=202,
    returns=Received,
    problems=(403, 409, 410),
    security=("reportToken",),
)
async def take_report(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Report from a worker. The claim, progress, or the outcome of an attempt. See docs/worker-contract.md."""
    job_id = job_id_of(req)
    mayfly = composition.current()
    # Check the token first, so that a stranger learns nothing about the format.
    attempt = mayfly.tokens.check(req.headers.get("authorization"), job_id, now=mayfly.clock.now())
    verdict = await receive(mayfly, DurableOrchestrators(client), job_id, attempt, body_of(req))
    if verdict in _REJECTIONS:
        status, title, fix = _REJECTIONS[verdict]
        return problem(title, status=status, errors=(FieldError(field="attempt", message=fix),))
    return answer(Received(verdict="accept"), status=202) if verdict == "accept" else answer(Received(verdict="seen"))
