"""Errors of the client: the exit code says whether the request or the API is at fault."""

from __future__ import annotations

import pytest

from mayfly.client.errors import BadRequest, ClientError, Unreachable


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [(ClientError("a job failed"), 1), (BadRequest("no such job"), 2), (Unreachable("no answer"), 3)],
)
def test_each_kind_of_error_has_its_exit_code(error: ClientError, exit_code: int) -> None:
    assert error.exit_code == exit_code


def test_the_text_of_an_error_has_every_line() -> None:
    error = BadRequest("invalid job spec", ["cpu: must be at most 31", "name: is too long"], status=422)
    assert str(error).splitlines() == ["invalid job spec", "cpu: must be at most 31", "name: is too long"]
    assert (error.text, error.status) == ("invalid job spec", 422)


def test_without_a_request_there_is_no_status() -> None:
    assert BadRequest("--env must look like K=V").status is None
