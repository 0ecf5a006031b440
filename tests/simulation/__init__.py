"""What may go wrong, and in which order? Whole jobs run through the real code, under an adversarial scheduler.

One seed is one schedule. Everything but the edges is real: the orchestrator runs on the local host's engine with the
SDK's own replay, and the activities and use cases run unchanged. The log, the views, the container platform, the
workers and the network are models that fail in every known way. Code runs as coroutines that are stepped by hand, so
any code that waits for an answer can be overtaken, repeated or killed at that point.

`python -m tests.simulation --seed N --verbose` shows one schedule step by step.
"""
