"""What may go wrong, and in which order? Whole jobs through the real code, under a scheduler that is out for trouble.

One seed is one schedule. Everything is real but the edges: the orchestrator runs on the local host's engine with the
SDK's own replay, the activities and use cases run as they are, and the log, the views, the container platform, the
workers and the network are models that fail in every way that is known of them. Code runs as coroutines that are
stepped by hand, so whatever waits for an answer can be overtaken, repeated or killed there.

`python -m tests.simulation --seed N --verbose` shows one schedule step by step.
"""
