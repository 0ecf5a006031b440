"""Errors that clients match on by their text, and the list of an app's problems."""

from __future__ import annotations

import pytest

from local_host.errors import (
    HostError,
    InstanceExists,
    InstanceFinished,
    InstanceMissing,
    RequestRejected,
    StartupError,
    UnknownFunction,
    UnsupportedApp,
)


def test_an_unsupported_app_lists_every_problem() -> None:
    error = UnsupportedApp(["one", "two"])
    assert isinstance(error, StartupError)
    assert str(error) == "The local host cannot run this function app:\n  - one\n  - two"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InstanceExists("Running"), "An Orchestration instance with the status Running already exists."),
        (InstanceMissing("i"), "No instance with ID 'i' found."),
        (InstanceFinished("i", "Failed"), "Instance 'i' is Failed and does not accept this request."),
        (
            UnknownFunction("x", "activity", ["b", "a"]),
            "The function 'x' doesn't exist, is disabled, or is not an activity function. "
            "Additional info: The following are the known activity functions: 'a', 'b'.",
        ),
    ],
)
def test_a_rejected_request_is_explained(error: HostError, text: str) -> None:
    assert isinstance(error, RequestRejected)
    assert str(error) == text
