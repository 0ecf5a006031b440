"""Long-running drills: `make soak` runs them, and `python -m tests.soak --short` runs a little of each.

Each drill is one module with a `run(soak)` that returns an `Outcome`; `drills.py` lists them. Drills draw from a seed,
which is printed, and report how much they did: a soak that ran nothing must not look like one that found nothing.
"""
