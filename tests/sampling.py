"""How many examples property tests and seeded runs try: a few here, many in `make soak` (tests/soak/fuzz.py).

`make test` tries the same ones every time, so that a failure is due to a change; the soak draws new ones.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings

_FACTOR = float(os.environ.get("MAYFLY_EXAMPLES_FACTOR", "1"))
_SEED = int(os.environ.get("MAYFLY_SEED", "0"))
_SEEDS = int(os.environ.get("MAYFLY_SEEDS", "0"))

seeded = pytest.mark.seeded
"""Marks a test that draws from the seeds of `seeds`."""


def examples(count: int, *suppressed: HealthCheck) -> settings:
    """Return the settings of a property: the number of examples in `make test`, and no deadline."""
    return settings(
        max_examples=max(1, round(count * _FACTOR)),
        derandomize=_FACTOR == 1,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, *suppressed],
    )


def seeds(few: int) -> Sequence[int]:
    """Return the seeds of a seeded run: from 0 to `few` in `make test`."""
    return range(_SEED, _SEED + (_SEEDS or few))
