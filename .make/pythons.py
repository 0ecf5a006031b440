"""Find a Python that can run Mayfly, or say in one sentence why there is none."""

import subprocess
from typing import List, NamedTuple, Optional, Tuple

from failure import Failure

OLDEST = (3, 11)
NEWEST = (3, 14)
"""The newest that the lock files are made for. A newer one is used only where there is no other."""
_NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"]
_HEADERS = {"sqlite3": "libsqlite3-dev", "ssl": "libssl-dev"}
_OTHERWISE = "install another Python, or run make with PYTHON=/path/to/python"

_PROBE = """
import sys
missing = []
for name in ("sqlite3", "ssl", "venv", "ensurepip"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
print("%d %d %d" % tuple(sys.version_info[:3]))
print(",".join(missing))
print(getattr(sys, "_base_executable", sys.executable))
"""


class Python(NamedTuple):
    """A Python that runs: how it is called, what it is, which modules it lacks, and where it is installed."""

    name: str
    version: Tuple[int, ...]
    missing: List[str]
    executable: str

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


def choose(asked: Optional[str], needs_venv: bool) -> Python:
    """Return `asked`, or else the first Python on PATH that can be used.

    Errors: `Failure`.
    """
    found = [one for one in map(probe, [asked] if asked else _NAMES) if one is not None]
    if not found:
        reason = "PYTHON=%s does not run" % asked if asked else "none was found on PATH"
        raise Failure("Mayfly needs Python 3.11 or newer, and %s: %s" % (reason, _OTHERWISE))
    found.sort(key=lambda one: one.version[:2] > NEWEST)
    for python in found:
        if _fault(python, needs_venv) is None:
            return python
    # The fault of one that is new enough is the easiest to fix.
    raise Failure(str(_fault(max(found, key=lambda one: one.version >= OLDEST), needs_venv)))


def probe(name: str) -> Optional[Python]:
    """Ask a Python what it is; None where it does not run, such as a pyenv shim that has no version set."""
    try:
        shown = subprocess.check_output([name, "-c", _PROBE], stderr=subprocess.DEVNULL).decode().splitlines()
        version = tuple(int(part) for part in shown[0].split())
    except (OSError, ValueError, IndexError, subprocess.CalledProcessError):
        return None
    return Python(name, version, [one for one in shown[1].split(",") if one], shown[2])


def _fault(python: Python, needs_venv: bool) -> Optional[str]:
    name = "%s is Python %s" % (python.name, python.version_text)
    if python.version < OLDEST:
        return "Mayfly needs Python 3.11 or newer, and %s: %s" % (name, _OTHERWISE)
    for module in ("sqlite3", "ssl"):
        if module in python.missing:
            headers = _HEADERS[module]
            return "%s without %s: build it again with %s installed, or %s" % (name, module, headers, _OTHERWISE)
    if needs_venv and ("venv" in python.missing or "ensurepip" in python.missing):
        package = "python%d.%d-venv" % python.version[:2]
        return "%s without venv: run `apt-get install %s` (Debian, Ubuntu), install uv, or %s" % (
            name,
            package,
            _OTHERWISE,
        )
    return None
