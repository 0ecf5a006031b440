"""What takes longer than anybody waits for: `make soak` runs it, `python -m tests.soak --short` a little of each.

Each drill is one module with a `run(soak)` that returns an `Outcome`; `drills.py` lists them. Drills draw from a seed,
which is printed, and say how much they did: a soak that ran nothing must not look like one that found nothing.
"""
