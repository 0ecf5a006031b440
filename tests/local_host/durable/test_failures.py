"""The failure details that an orchestrator reads after an activity raised."""

from __future__ import annotations

from local_host.durable.failures import describe_failure


def described(error: Exception) -> tuple[str, str]:
    try:
        raise error
    except Exception as raised:
        return describe_failure("greet", raised)


def test_a_failure_names_the_activity_and_the_exception() -> None:
    reason, details = described(ValueError("no"))
    assert reason == "Activity function 'greet' failed: ValueError: no"
    assert details.startswith("Result: Failure\nException: ValueError: no\nStack: ")


def test_the_details_are_limited() -> None:
    _, details = described(ValueError("x" * 20_000))
    assert len(details) == 16_000
