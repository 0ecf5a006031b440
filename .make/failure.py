"""The error that ends a setup, and where it is printed."""

import sys


class Failure(Exception):
    """One sentence with the fix. `half_done` where files may have been written before it."""

    def __init__(self, sentence: str, half_done: bool = False) -> None:
        super().__init__(sentence)
        self.half_done = half_done


def say(line: str) -> None:
    """Show a line; standard output belongs to what runs after the setup."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
