"""Read the end of a group's log file as text."""

from __future__ import annotations

import os
from pathlib import Path

from mayfly.containers.runtime import LogTail, end_of_output

LOG_CUT = b"[mayfly: the output before this line was cut]\n"
"""First line of a log that its writer has truncated; `MAYFLY_LOG_BYTES_MAX` makes `worker/output.py` do so."""


def read_tail(path: Path, bytes_max: int) -> LogTail:
    """Return the last `bytes_max` bytes, starting at a whole character; empty if there is no file yet."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - bytes_max)
            file.seek(0)
            cut_back = file.read(len(LOG_CUT)) == LOG_CUT
            file.seek(start)
            data = file.read(bytes_max)
    except (FileNotFoundError, NotADirectoryError):
        return LogTail(text="", truncated=False)
    text = end_of_output(data) if start else data.decode("utf-8", "replace")
    return LogTail(text=text, truncated=start > 0 or cut_back)
