"""Is another host at work on this data directory? A lock that the operating system lets go of when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from local_host.errors import Refused


class DirectoryLock:
    """Holds a directory for one host. Errors: `Refused` when another one has it."""

    def __init__(self, directory: Path) -> None:
        path = directory / "host.lock"
        # Not inherited by child processes, which would hold the lock after the host is gone.
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._handle, 32).decode(errors="replace").strip()
            os.close(self._handle)
            raise Refused(
                f"{directory} is in use by another host (process {holder or 'unknown'}). Stop it, or give --data "
                "another directory."
            ) from None
        os.truncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        os.close(self._handle)
