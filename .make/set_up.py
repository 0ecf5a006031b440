"""Set up .venv for one purpose, as make does before each target: `python3 .make/set_up.py local|dashboard|dev`.

It creates .venv, installs the lock files of the purpose and this checkout, and records what it did; when nothing has
changed since, it returns at once. It replaces a .venv whose setup was interrupted, that was made in another folder, or
whose Python is gone. It uses uv if uv is on PATH, and pip otherwise.

Any Python from 3.6 on can run the files of this folder, so that an old one gets a sentence and not a syntax error.
Every failure ends with one sentence that names the fix, and exit code 1.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import time
from typing import Any, Dict, Optional

from failure import Failure, say
from installer import Installer
from pythons import Python, choose, probe

LOCKS = {
    "local": ["requirements-local.txt"],
    "dashboard": ["requirements-local.txt", "streamlit_dashboard/requirements.txt"],
    "dev": ["requirements-dev.txt"],
}
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_VENV = os.path.join(_ROOT, ".venv")
_PYTHON = os.path.join(_VENV, "bin", "python")
_RECORD = os.path.join(_VENV, "mayfly-setup.json")

Record = Dict[str, Any]
"""`root`: the folder of the checkout; `python`: [major, minor]; `locks`: digest by lock file; `project`: the digest of
pyproject.toml; `finished`: false while packages are being written."""


def set_up(purpose: str) -> None:
    """Set up .venv for a purpose; do nothing where that is done.

    Errors: `Failure`.
    """
    if _is_ready(purpose):
        return
    if not os.access(_ROOT, os.W_OK):
        raise Failure("%s is not writable: clone Mayfly into a folder that you own, or change its owner" % _ROOT)
    with _Turn():
        if not _is_ready(purpose):  # another make may have done it while this one waited
            _install(purpose, shutil.which("uv"))


def _is_ready(purpose: str) -> bool:
    record = _read_record()
    if not _is_sound(record):
        return False
    done = record["locks"]
    wanted = LOCKS["dev"] if LOCKS["dev"][0] in done else LOCKS[purpose]
    return record["project"] == _digest("pyproject.toml") and all(done.get(lock) == _digest(lock) for lock in wanted)


def _is_sound(record: Record) -> bool:
    """Return whether .venv was made in this folder, by a run that finished, and still has its Python."""
    if record.get("root") != _ROOT or not record.get("finished"):
        return False
    asked = os.environ.get("PYTHON")
    if asked and _version(asked) not in (None, record["python"]):
        return False
    return bool(_version(_PYTHON) == record["python"])


def _install(purpose: str, uv: Optional[str]) -> None:
    begun = time.time()
    record = _read_record()
    installer = Installer(_PYTHON, uv)
    if _is_sound(record) and installer.works():
        say("updating .venv with %s" % installer.name)
    else:
        python = choose(os.environ.get("PYTHON"), needs_venv=uv is None)
        say("setting up .venv with Python %s and %s (once)" % (python.version_text, installer.name))
        record = _create(python, installer)
    for lock in LOCKS[purpose]:
        count = len(set(re.findall(r"^([a-z0-9-]+)==(?!.*win32)", _read(lock), re.MULTILINE)))
        with _Writing(record):
            installer.install(["--require-hashes", "-r", lock], "%d packages from %s" % (count, lock), count)
            record["locks"][lock] = _digest(lock)
    if record["project"] != _digest("pyproject.toml"):
        with _Writing(record):
            installer.install(["--no-deps", "--no-build-isolation", "--editable", "."], "Mayfly, from this folder")
            record["project"] = _digest("pyproject.toml")
    say("set up in %d s" % (time.time() - begun))


def _create(python: Python, installer: Installer) -> Record:
    if os.path.islink(_VENV):
        os.unlink(_VENV)
    elif os.path.exists(_VENV):
        try:
            shutil.rmtree(_VENV)
        except OSError as error:
            raise Failure("the old .venv cannot be removed (%s): remove it, then run make again" % error) from error
    installer.create_environment(python.executable, _VENV)
    return {"root": _ROOT, "python": list(python.version[:2]), "locks": {}, "project": ""}


class _Writing:
    """Marks .venv as unfinished while packages are written to it, so that an interrupted one is replaced."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def __enter__(self) -> None:
        self._write(finished=False)

    def __exit__(self, kind: object, error: object, _: object) -> None:
        # An installer that failed before it wrote anything, such as without a network, leaves .venv as it was.
        if error is None or (isinstance(error, Failure) and not error.half_done):
            self._write(finished=True)

    def _write(self, finished: bool) -> None:
        with open(_RECORD, "w", encoding="utf-8") as file:
            json.dump(dict(self._record, finished=finished), file)


class _Turn:
    """Lets one setup of this folder run at a time; the system ends the turn of a process that dies."""

    def __enter__(self) -> None:
        self._handle = os.open(_ROOT, os.O_RDONLY)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("waiting for another make that is setting up .venv")
            fcntl.flock(self._handle, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _version(python: str) -> Optional[object]:
    """Return [major, minor] of a Python; None where it does not run."""
    # Paths are compared, and not what they link to: the python of every environment links to the same file.
    if os.path.abspath(python) == os.path.abspath(sys.executable):
        return list(sys.version_info[:2])
    found = probe(python)
    return None if found is None else list(found.version[:2])


def _read_record() -> Record:
    try:
        return dict(json.loads(_read(_RECORD)))
    except (OSError, ValueError):
        return {}


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _digest(path: str) -> str:
    return hashlib.sha256(_read(path).encode()).hexdigest()


if __name__ == "__main__":
    os.chdir(_ROOT)
    try:
        set_up(sys.argv[1])
    except KeyboardInterrupt:
        say("\ninterrupted: run the same command again")
        sys.exit(130)
    except (Failure, OSError) as problem:
        say("error: %s" % problem)
        sys.exit(1)
