"""Run uv or pip: one line for each phase, silence about what does not matter, and errors shown whole."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from typing import List, Optional, Sequence

from failure import Failure, say

_NOISE = re.compile(
    r"WARNING: (Location|Retrying|The directory|Running pip|You are using)|\[notice\]|Looking in|Ignoring \w|\s*$"
)
_ERROR = re.compile(r"\s*(ERROR|error)\b|\s*× ")
_LINES_SHOWN = 10
_CAUSES = [
    (r"No space left on device|os error 28", "the disk is full: free about 1 GB, then run make again"),
    (r"Permission denied|os error 13|Read-only file", "a file cannot be written: see who owns .venv and the cache"),
    (r"DO NOT MATCH THE HASHES|Hash mismatch", "the package index served other files than were locked: use another"),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolution|ProxyError|SSLError"
        r"|[Cc]onnection (refused|reset)|dns error|client error|error sending request|Failed to fetch|timed out",
        "the package index cannot be reached: check the network and the proxy, then run make again",
    ),
    (
        r"No matching distribution|No solution found|no wheels|Failed to build|subprocess-exited-with-error",
        "a package has no release for this Python and system: choose another with PYTHON=/path/to/python",
    ),
]
"""Patterns in an installer's output, each with a sentence for people; the first match is used."""


class Installer:
    """Installs into one environment."""

    def __init__(self, python: str, uv: Optional[str]) -> None:
        self.name = "uv" if uv else "pip"
        self._python = python
        self._uv = uv

    def works(self) -> bool:
        """Return whether it can install there. An environment that uv made has no pip."""
        return (
            self._uv is not None
            or subprocess.call(
                [self._python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            == 0
        )

    def create_environment(self, base: str, path: str) -> None:
        """Create an environment. Errors: `Failure`."""
        command = [self._uv, "venv", "--quiet", "--python", base] if self._uv else [base, "-m", "venv"]
        _run([*command, path], "a virtual environment", 0)

    def install(self, arguments: Sequence[str], what: str, count: int = 0) -> None:
        """Install; `count` is how many packages are expected. Errors: `Failure`."""
        if self._uv:
            command = [self._uv, "pip", "install", "--python", self._python, "--compile-bytecode"]
        else:
            command = [self._python, "-m", "pip", "install", "--progress-bar", "off"]
        _run([*command, *arguments], what, count)


def _run(command: Sequence[str], what: str, count: int) -> None:
    environment = dict(os.environ, PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        environment.pop(name, None)
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines: List[str] = []
    with _Progress(what, count) as progress:
        for raw in process.stdout or ():
            lines.append(raw.decode(errors="replace").rstrip())
            progress.saw(lines[-1])
    if process.wait() != 0:
        heard = [line for line in lines if not _NOISE.match(line)]
        first_error = next((number for number, line in enumerate(heard) if _ERROR.match(line)), len(heard))
        for line in heard[min(first_error, max(len(heard) - _LINES_SHOWN, 0)) :]:
            say("    " + line)
        raise Failure("could not install %s: %s" % (what, _cause("\n".join(lines))), progress.unpacking)


def _cause(output: str) -> str:
    for pattern, sentence in _CAUSES:
        if re.search(pattern, output):
            return sentence
    return "see the lines above, then run make again"


class _Progress:
    """The line of a phase: on a terminal it counts packages and seconds, elsewhere it is printed once."""

    def __init__(self, what: str, count: int) -> None:
        self.unpacking = False
        self._what = what
        self._count = count
        self._collected = 0
        self._detail = ""
        self._begun = time.time()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick) if sys.stderr.isatty() else None

    def __enter__(self) -> "_Progress":
        if self._ticker is None:
            say("  %s" % self._what)
        else:
            self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._ticker is not None:
            self._ticker.join()
            self._detail = ""
            self._draw()
            say("")

    def saw(self, line: str) -> None:
        """Learn from a line of pip or uv how far it is."""
        if line.startswith("Collecting "):
            self._collected += 1
            name = line.split()[1].split("=")[0]
            self._detail = "%d of %d, %s" % (self._collected, max(self._count, self._collected), name)
        elif line.startswith(("Installing collected", "Prepared ")):
            self.unpacking = True
            self._detail = "unpacking"
        elif "Retrying" in line:
            self._detail = "the package index does not answer, trying again"

    def _tick(self) -> None:
        while not self._over.wait(0.2):
            self._draw()

    def _draw(self) -> None:
        line = "  %s (%d s)  %s" % (self._what, time.time() - self._begun, self._detail)
        sys.stderr.write("\r\033[K" + line.rstrip()[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()
