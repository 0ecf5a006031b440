"""Responses: a rejection keeps its status and fields, and no other exception reveals anything."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

from mayfly.errors import FieldError, Rejected, TryAgain, Unauthorized
from triggers.answers import answer, answering


def _answered(runner: asyncio.Runner, error: Exception) -> tuple[func.HttpResponse, dict[str, Any]]:
    @answering
    async def handler() -> func.HttpResponse:
        raise error

    async def call() -> func.HttpResponse:
        return await handler()

    response = runner.run(call())
    return response, json.loads(response.get_body())


def test_a_rejection_is_a_problem_document_with_its_fields(runner: asyncio.Runner) -> None:
    response, document = _answered(runner, Rejected("invalid job spec", [FieldError(field="cpu", message="too high")]))
    assert (response.status_code, response.mimetype) == (422, "application/problem+json")
    assert document == {
        "type": "about:blank",
        "title": "invalid job spec",
        "status": 422,
        "detail": "cpu: too high",
        "errors": [{"field": "cpu", "message": "too high"}],
    }


def test_a_missing_token_asks_for_a_bearer_token(runner: asyncio.Runner) -> None:
    response, _ = _answered(runner, Unauthorized("send a token", status=401))
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (TryAgain("cosmos at 10.0.0.7"), 503, "storage is temporarily unavailable; retry"),
        (KeyError("the key hunter2"), 500, "internal error; see the server log"),
    ],
)
def test_other_errors_reveal_nothing(runner: asyncio.Runner, error: Exception, status: int, title: str) -> None:
    response, document = _answered(runner, error)
    assert (response.status_code, document["title"], document["errors"]) == (status, title, [])
    assert str(error) not in response.get_body().decode()


def test_a_response_is_compact_json_and_ends_with_a_line_break() -> None:
    assert answer({"a": [1, None]}).get_body() == b'{"a":[1,null]}\n'
