"""An outcome that turns into a failure keeps what was measured, and loses its result."""

from __future__ import annotations

from worker.outcome import Outcome


def test_a_failure_keeps_the_usage_and_the_output_but_not_the_result() -> None:
    outcome = Outcome(exit_code=0, result="[1]")
    outcome.cpu_s, outcome.memory_peak_bytes, outcome.output_tail = 1.5, 1 << 20, "the end"
    failure = outcome.failed("result_invalid", "too large")
    assert (failure.error_class, failure.error_message, failure.result) == ("result_invalid", "too large", "null")
    assert (failure.cpu_s, failure.memory_peak_bytes, failure.output_tail) == (1.5, 1 << 20, "the end")
    assert outcome.error_class is None, "the outcome itself is unchanged"
