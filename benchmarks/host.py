"""A local host in a separate process, which runs for one measurement."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Host:
    """A running host."""

    port: int
    key: str
    data: Path
    process: psutil.Process

    def cpu_s(self) -> float:
        """Return the CPU seconds of the host's process so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """Return the host's unique memory now, which would be free without it."""
        return int(self.process.memory_full_info().uss)

    def memory_peak_bytes(self) -> int:
        """Return the peak of its resident memory. Source: proc(5), VmHWM."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return 0


@contextmanager
def running_host(*, app: Path, environment: dict[str, str] | None = None) -> Iterator[Host]:
    """Start a host on a free port with an empty data folder; stop it and remove the folder afterward."""
    with tempfile.TemporaryDirectory(prefix="mayfly-bench-") as folder:
        data = Path(folder)
        port = _free_port()
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MAYFLY_DATA": str(data),
            "MAYFLY_COSMOS": f"sqlite:{data / 'log.db'}",
            "MAYFLY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            **(environment or {}),
        }
        command = [sys.executable, "-m", "local_host", "start"]
        command += ["--app", str(app), "--port", str(port), "--data", str(data / "host")]
        with (data / "host.log").open("wb") as log:
            child = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            _wait_until_healthy(port, child, data / "host.log")
            key = json.loads((data / "host" / "keys.json").read_text())["host"]["default"]
            yield Host(port=port, key=key, data=data, process=psutil.Process(child.pid))
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(port: int, child: subprocess.Popen[bytes], log: Path) -> None:
    while child.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=10).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the host did not start:\n{log.read_text()}")
