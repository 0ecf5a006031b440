"""Errors of the host, sorted by what the caller does next.

`StartupError`: the host will not start; fix the app or the command line. `RequestRejected`: one request was rejected
and nothing was changed. Any other exception is a defect in this host or a failure of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class HostError(Exception):
    """Root of the errors that this package raises on purpose."""


class StartupError(HostError):
    """The host cannot start with these settings. The text says what is wrong and what to change."""


class UnsupportedApp(StartupError):
    """The function app uses a feature that this host does not have, or its declarations are invalid."""

    def __init__(self, problems: Sequence[str]) -> None:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The local host cannot run this function app:\n{listed}")


class RequestRejected(HostError):
    """A request was rejected; nothing was changed."""


# Clients match on the wording of `UnknownFunction` and `InstanceExists`, which is the durable extension's.


class UnknownFunction(RequestRejected):
    """No function of this kind has this name."""

    def __init__(self, name: str, kind: str, known: Iterable[str]) -> None:
        listed = ", ".join(f"'{each}'" for each in sorted(known)) or "none"
        super().__init__(
            f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function. "
            f"Additional info: The following are the known {kind} functions: {listed}."
        )


class BadInstanceId(RequestRejected):
    """Durable Functions does not accept this instance id."""


class InstanceExists(RequestRejected):
    """An unfinished instance already has this id."""

    def __init__(self, status: str) -> None:
        super().__init__(f"An Orchestration instance with the status {status} already exists.")


class InstanceMissing(RequestRejected):
    """No instance has this id."""

    def __init__(self, instance_id: str) -> None:
        super().__init__(f"No instance with ID '{instance_id}' found.")


class InstanceFinished(RequestRejected):
    """The instance is in a state that does not allow the request."""

    def __init__(self, instance_id: str, status: str) -> None:
        super().__init__(f"Instance '{instance_id}' is {status} and does not accept this request.")
