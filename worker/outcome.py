"""How the work ended: the one record that the command, the demo work and the reports share."""

from __future__ import annotations


class Outcome:
    """How the work ended.

    Shapes: `result` is JSON text, "null" if there is none. `error_class` is one of the classes in the contract, or None
    if the work succeeded. `exit_code` is None if there was none.
    Units: `cpu_s` is user plus system time. `memory_peak_bytes` is the peak of the largest single process.
    """

    def __init__(
        self, *, exit_code: int | None, result: str = "null", error_class: str | None = None, error_message: str = ""
    ) -> None:
        self.exit_code = exit_code
        self.result = result
        self.error_class = error_class
        self.error_message = error_message
        self.output_tail = ""
        self.cpu_s = 0.0
        self.memory_peak_bytes = 0

    def failed(self, error_class: str, message: str) -> Outcome:
        """Return this outcome as a failure, without its result."""
        outcome = Outcome(exit_code=self.exit_code, error_class=error_class, error_message=message)
        outcome.output_tail = self.output_tail
        outcome.cpu_s = self.cpu_s
        outcome.memory_peak_bytes = self.memory_peak_bytes
        return outcome
