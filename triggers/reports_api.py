"""The worker's callback. Its bearer token speaks for one job and one attempt; no function key is involved."""

import azure.durable_functions as df
import azure.functions as func

from mayfly import composition
from mayfly.errors import FieldError
from mayfly.jobs.reports import Verdict
from mayfly.use_cases.receive_report import receive
from mayfly.validation import parse_object
from triggers.answers import answer, answering, job_id_of, problem, queries_of
from triggers.durable import DurableOrchestrators

reports_api = df.Blueprint()

_REFUSALS: dict[Verdict, tuple[int, str, str]] = {
    "claimed_by_another": (
        409,
        "another worker holds this attempt",
        "stop without doing the work, and exit with 0",
    ),
    "not_claimed": (
        409,
        "this attempt has not been claimed",
        "report started, with the same claim, before anything else",
    ),
    "attempt_over": (410, "this attempt is over", "stop, and exit with 0: nothing that it reports changes anything"),
}


@reports_api.route(route="jobs/{job_id}/reports", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@reports_api.durable_client_input(client_name="client")
@answering
async def take_report(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Take in `started`, `progress` or `finished`; see docs/worker-contract.md."""
    queries_of(req)
    job_id = job_id_of(req)
    mayfly = composition.current()
    # The token first: a stranger learns nothing about the format's rules.
    attempt = mayfly.tokens.check(req.headers.get("authorization"), job_id, now=mayfly.clock.now())
    document = parse_object(req.get_body(), content_type=req.headers.get("content-type"))
    verdict = await receive(mayfly, DurableOrchestrators(client), job_id, attempt, document)
    if verdict in _REFUSALS:
        status, title, mend = _REFUSALS[verdict]
        return problem(title, status=status, errors=(FieldError(field="attempt", message=mend),))
    return answer({"verdict": verdict}, status=202 if verdict == "accept" else 200)
