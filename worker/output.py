"""The worker's standard output: relay everything that the work prints, unchanged, and keep the end of it."""

from __future__ import annotations

import os
import select
import stat

TAIL_CHARS_MAX = 16_000
CUT = b"[mayfly: the output before this line was cut]\n"
"""The first line of a log that was cut. `mayfly/containers/processes/log.py` repeats it."""

_TAIL_BYTES_MAX = TAIL_CHARS_MAX * 4  # A character has at most four bytes in UTF-8.


class Output:
    """Relay bytes to a file descriptor and keep the last of them.

    Units: when standard output is a regular file, opened for appending, and grows past `log_bytes_max`, it is cut to
    its last 64 KB; 0 means never. A platform that keeps logs in files sets the limit, because only the process that
    writes a file can cut it without losing output.
    """

    def __init__(self, *, log_bytes_max: int = 0, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._log_bytes_max = log_bytes_max
        self._kept = bytearray()
        self._open = True
        self._size = 0
        if log_bytes_max:
            status = os.fstat(descriptor)
            self._size = status.st_size
            if not stat.S_ISREG(status.st_mode):
                self._log_bytes_max = 0

    def write(self, data: bytes) -> None:
        """Relay all of `data`. If the descriptor stops accepting it (closed, disk full), the work continues without."""
        self._kept += data
        if len(self._kept) > 4 * _TAIL_BYTES_MAX:
            del self._kept[:-_TAIL_BYTES_MAX]
        if not self._open:
            return
        try:
            self._relay(data)
            if 0 < self._log_bytes_max < self._size:
                os.ftruncate(self._descriptor, 0)
                self._size = 0
                self._relay(CUT + self._kept[-_TAIL_BYTES_MAX:])
        except OSError:
            self._open = False

    def tail(self) -> str:
        """Return the last `TAIL_CHARS_MAX` characters; bytes that are not UTF-8 become replacement characters."""
        return decode_tail(bytes(self._kept[-_TAIL_BYTES_MAX:]))[-TAIL_CHARS_MAX:]

    def _relay(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
        self._size += len(data)


def decode_tail(data: bytes) -> str:
    """Decode the end of a text. If it begins inside a character, leave that character out.

    >>> decode_tail("né".encode()[2:] + b"e")
    'e'
    """
    # The second and later bytes of a character are 0x80 to 0xBF; there are up to three.
    return (data[:3].lstrip(bytes(range(0x80, 0xC0))) + data[3:]).decode("utf-8", "replace")
