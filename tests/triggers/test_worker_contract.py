"""The worker contract and the API agree: the answers of the page's session, and its tables and limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from mayfly.jobs.spec import ErrorClass
from mayfly.use_cases import receive_report
from mayfly.validation import JSON_DEPTH_MAX
from tests.mayfly.jobs.samples import CLAIM
from tests.triggers.function_host import FunctionHost

PAGE = (Path(__file__).parents[2] / "docs" / "worker-contract.md").read_text(encoding="utf-8")


def test_the_session_by_hand_gets_the_answers_that_the_page_promises(api: FunctionHost) -> None:
    job_id: str = api.call("POST", "jobs", body={"message": "hi"}).json["job_id"]
    api.perform("begin_attempt", job_id)
    session = re.findall(r"^post '(.*?)'\s+# (\d+)", PAGE, re.MULTILINE | re.DOTALL)
    assert len(session) == 6
    for body, status in session:
        assert api.report(job_id, json.loads(body.replace("'$claim'", CLAIM))).status == int(status), body


def test_the_examples_are_valid_reports() -> None:
    examples = [json.loads(text.replace("\n", " ")) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    assert {example["type"] for example in examples} == {"started", "progress", "finished"}
    for example in examples:
        receive_report.parse_report({**example, "claim": CLAIM}, attempt=1)


def test_the_limits_are_those_that_the_api_checks() -> None:
    assert f"({receive_report.RESULT_BYTES_MAX:,} bytes)" in PAGE
    assert re.search(rf"more than {JSON_DEPTH_MAX}\s+levels", PAGE)
    assert f"`error.message`: at most {receive_report.MESSAGE_CHARS_MAX:,} characters" in PAGE
    tail = re.search(r"`output_tail`: .* at most ([\d,]+) characters", PAGE)
    assert tail is not None
    assert int(tail[1].replace(",", "")) <= receive_report.OUTPUT_CHARS_MAX


def test_the_error_classes_are_those_that_the_api_accepts() -> None:
    table = PAGE.partition("| class |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) <= set(get_args(ErrorClass))
