from __future__ import annotations

import random

from drills.chaos_jobs import WEIGHTS, draw_jobs
from mayfly.use_cases.submit import parse_spec


def test_a_seed_draws_the_same_jobs_every_time() -> None:
    first, second, other = (draw_jobs(50, random.Random(seed), runs="/runs") for seed in (7, 7, 8))

    assert first == second
    assert first != other


def test_every_kind_is_drawn_and_the_api_accepts_every_spec() -> None:
    jobs = draw_jobs(100, random.Random(1), runs="/runs")

    assert {job.name for job in jobs} == set(WEIGHTS)
    assert len({job.idempotency_key for job in jobs}) == 100
    for job in jobs:
        parse_spec(job.document)
