"""Phase durations: the median and the 95th percentile of those attempts that had the phase."""

from __future__ import annotations

from mayfly.jobs.phases import PHASES
from mayfly.use_cases.overview import PhaseLength, phase_lengths
from mayfly.views.stats import AttemptStats
from tests.mayfly.jobs.samples import T0


def test_each_phase_is_measured_over_the_attempts_that_had_it() -> None:
    first, second, third = PHASES[:3]
    attempts = [
        AttemptStats(
            outcome="succeeded", ended_at=T0, seconds={first: float(number), **({third: 7.0} if number == 1 else {})}
        )
        for number in range(1, 101)
    ]
    assert phase_lengths(attempts) == [
        PhaseLength(name=first, attempts=100, p50_s=50.5, p95_s=95.0),
        PhaseLength(name=third, attempts=1, p50_s=7.0, p95_s=7.0),
    ]
    assert second not in {one.name for one in phase_lengths(attempts)}


def test_without_attempts_there_is_no_phase() -> None:
    assert phase_lengths([]) == []
