"""Is another host using this data directory? The operating system releases the lock when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from local_host.errors import StartupError


class DirectoryLock:
    """Lock a directory for one host. Errors: `StartupError` if another host holds it."""

    def __init__(self, directory: Path) -> None:
        path = directory / "host.lock"
        # Child processes do not inherit the handle; otherwise they would hold the lock after the host is gone.
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._handle, 32).decode(errors="replace").strip()
            os.close(self._handle)
            raise StartupError(
                f"{directory} is in use by another host (process {holder or 'unknown'}). Stop that host, or pass a "
                "different directory with --data."
            ) from None
        os.truncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        os.close(self._handle)
