"""Read the end of a group's log file as text."""

from __future__ import annotations

import os
from pathlib import Path

from mayfly.containers.runtime import LogTail

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
    if start:
        # The cut may split a character: skip the rest of it (in UTF-8, up to three bytes 10xxxxxx).
        skip = next((at for at in range(min(3, len(data))) if data[at] & 0xC0 != 0x80), min(3, len(data)))
        data = data[skip:]
    return LogTail(text=data.decode("utf-8", "replace"), truncated=start > 0 or cut_back)
