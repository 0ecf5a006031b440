"""How fast? `python -m benchmarks` measures on this machine and prints a table and JSON; nothing here is a test."""
