"""What can go wrong in the host, sorted by what the caller does next.

`Refused` means that the host will not start (mend the app or the command line), `NotPossible` that one request was
turned down and nothing was changed. Everything else is a defect, or the machine's.
"""

from __future__ import annotations

from collections.abc import Sequence


class HostError(Exception):
    """Root of what this package raises on purpose."""


class Refused(HostError):
    """The host will not start as it was asked to. The text says what is wrong and what to change."""


class AppRefused(Refused):
    """The function app uses something that this host does not have, or that is misspelt."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("The function app was refused:\n" + "\n".join(f"  - {fault}" for fault in self.faults))


class NotPossible(HostError):
    """A request that was turned down; nothing was changed."""


class UnknownFunction(NotPossible):
    def __init__(self, name: str, kind: str, known: Sequence[str]) -> None:
        self.name = name
        listed = ", ".join(f"'{each}'" for each in sorted(known)) or "none"
        # The wording is that of the durable extension, which clients match on.
        super().__init__(
            f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function. "
            f"Additional info: The following are the known {kind} functions: {listed}."
        )


class BadInstanceId(NotPossible):
    """An id that Durable Functions does not accept."""


class InstanceExists(NotPossible):
    def __init__(self, instance_id: str, status: str) -> None:
        self.instance_id = instance_id
        self.status = status
        super().__init__(f"An Orchestration instance with the status {status} already exists.")


class InstanceMissing(NotPossible):
    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        super().__init__(f"No instance with ID '{instance_id}' found.")


class InstanceFinished(NotPossible):
    def __init__(self, instance_id: str, status: str) -> None:
        self.instance_id = instance_id
        self.status = status
        super().__init__(f"Instance '{instance_id}' is {status}; nothing can be sent to it any more.")
