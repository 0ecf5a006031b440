"""The end of a group's log file, as text."""

from __future__ import annotations

import os
from pathlib import Path

from mayfly.containers.runtime import LogTail

LOG_CUT = b"[mayfly: the output before this line was cut]\n"
"""First line of a log that its writer cut back (`worker/output.py`, asked to by `MAYFLY_LOG_BYTES_MAX`)."""


def read_tail(path: Path, bytes_max: int) -> LogTail:
    """Return the last `bytes_max` bytes from the first whole character on; empty when there is no file yet."""
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
        # The cut may lie within a character: leave out its rest (UTF-8 continues with up to three of 10xxxxxx).
        skip = next((at for at in range(min(3, len(data))) if data[at] & 0xC0 != 0x80), min(3, len(data)))
        data = data[skip:]
    return LogTail(text=data.decode("utf-8", "replace"), truncated=start > 0 or cut_back)
