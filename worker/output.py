"""The worker's standard output: everything the work prints goes through here unchanged, and its end is kept."""

from __future__ import annotations

import os
import select
import stat

TAIL_CHARS_MAX = 16_000
CUT = b"[mayfly: the output before this line was cut]\n"
"""First line of a log that was cut back; `mayfly/containers/processes/log.py` knows it too."""

_TAIL_BYTES_MAX = TAIL_CHARS_MAX * 4  # UTF-8 has at most four bytes a character


class Output:
    """Relays bytes to a file descriptor and keeps the last of them.

    `log_bytes_max`: when standard output is a regular file (opened for appending) that has grown past this, it is cut
    back to its last 64 KB. 0: never. A platform that keeps logs in files sets it, because only the one that writes
    can cut without losing what is written meanwhile.
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
        """Relay all of `data`. When nobody can take it any more (closed, disk full) the work goes on unheard."""
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
        """Return the last `TAIL_CHARS_MAX` characters; bytes that are no UTF-8 become replacement characters."""
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
    """Decode the end of a text that may have been cut inside a character; a cut character is left out.

    >>> decode_tail("né".encode()[2:] + b"e")
    'e'
    """
    start = 0
    while start < min(3, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:].decode("utf-8", "replace")
