"""How is an activity's exception reported to its orchestrator?"""

from __future__ import annotations

import traceback


def describe_failure(activity: str, error: BaseException) -> tuple[str, str]:
    """Return the reason and the details of a failed activity, as the SDK shows them to the orchestrator.

    Source: Azure/azure-functions-durable-extension; the details have the wording of the Python worker.
    """
    reason = f"Activity function '{activity}' failed: {type(error).__name__}: {error}"
    stack = "".join(traceback.format_tb(error.__traceback__)[1:])
    details = f"Result: Failure\nException: {type(error).__name__}: {error}\nStack: {stack}"
    return reason, details[:_DETAILS_CHARACTERS_MAX]


# The stack of a deep recursion is a megabyte long, and every replay reads the details again.
_DETAILS_CHARACTERS_MAX = 16_000
