"""The health and the description of the API."""

from __future__ import annotations

from typing import NoReturn

import pytest

from mayfly.errors import TryAgain
from tests.triggers.function_host import ORIGIN, FunctionHost


def test_health_is_well_without_names_or_counts(api: FunctionHost) -> None:
    api.call("POST", "jobs", body={"message": "hi"})
    answer = api.call("GET", "health")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_health_is_503_while_the_log_does_not_answer(api: FunctionHost, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(**_: object) -> NoReturn:
        raise TryAgain("the log is out of reach")

    monkeypatch.setattr(api.composed.mayfly.log, "read_all", silent)
    assert api.call("GET", "health").status == 503


def test_the_description_names_the_address_that_it_was_requested_at(api: FunctionHost) -> None:
    document = api.call("GET", "openapi.json").json
    assert document["openapi"].startswith("3.")
    assert [server["url"] for server in document["servers"]] == [ORIGIN]
