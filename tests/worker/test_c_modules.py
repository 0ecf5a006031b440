"""The C halves of `signal` and `socket` mean the same as the full modules, and load nothing slow."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from worker import c_modules


def test_they_mean_the_same_as_the_full_modules() -> None:
    for name in ("SIGTERM", "SIGINT", "SIGCHLD", "SIGKILL", "SIGPIPE", "SIGXFSZ"):
        assert getattr(c_modules.signal, name) == getattr(signal, name)
    assert c_modules.socket.SOCK_STREAM == socket.SOCK_STREAM
    assert issubclass(socket.socket, c_modules.socket.socket)


def test_they_do_not_load_the_full_modules() -> None:
    root = Path(c_modules.__file__).parents[1]
    code = f"import sys; sys.path.append({str(root)!r}); import worker.c_modules; print(*sys.modules)"
    argv = [sys.executable, "-I", "-S", "-c", code]
    loaded = subprocess.run(argv, capture_output=True, check=True, text=True).stdout.split()
    assert {"signal", "socket", "enum"} & set(loaded) == set()
