"""What is said when a user's function raises?"""

from __future__ import annotations

import traceback


def describe_failure(activity: str, raised: BaseException) -> tuple[str, str]:
    """Return the reason and the details of a failed activity, as the SDK will show them to the orchestrator.

    Source: Azure/azure-functions-durable-extension; the details are worded as the Python worker words them.
    """
    reason = f"Activity function '{activity}' failed: {type(raised).__name__}: {raised}"
    stack = "".join(traceback.format_tb(raised.__traceback__)[1:])
    details = f"Result: Failure\nException: {type(raised).__name__}: {raised}\nStack: {stack}"
    return reason, details[:_DETAILS_CHARACTERS_MAX]


# A deep recursion has a stack of a megabyte, and the details are read again at every replay.
_DETAILS_CHARACTERS_MAX = 16_000
