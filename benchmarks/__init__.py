"""How fast? `python -m benchmarks` measures on this machine and prints a table and JSON. Nothing here is a test."""
