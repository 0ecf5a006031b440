"""How work ended: the one record that command, demo work and reports share."""

from __future__ import annotations


class Ending:
    """How the work ended.

    `result` is JSON text, "null" when there is none. `error_class` None means succeeded; the closed set of classes is
    in the contract. `cpu_s` is user plus system time; `memory_peak_bytes` is that of the largest single process.
    """

    __slots__ = ("cpu_s", "error_class", "error_message", "exit_code", "memory_peak_bytes", "output_tail", "result")

    def __init__(self, *, exit_code: int | None, result: str = "null") -> None:
        self.exit_code = exit_code
        self.result = result
        self.error_class: str | None = None
        self.error_message = ""
        self.output_tail = ""
        self.cpu_s = 0.0
        self.memory_peak_bytes = 0

    def failed(self, error_class: str, message: str, *, exit_code: int | None) -> Ending:
        """Return the same ending as a failure, without a result."""
        ending = Ending(exit_code=exit_code)
        ending.error_class = error_class
        ending.error_message = message
        ending.output_tail = self.output_tail
        ending.cpu_s = self.cpu_s
        ending.memory_peak_bytes = self.memory_peak_bytes
        return ending
