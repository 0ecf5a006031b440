"""This machine's configuration of pip, given to a build as a mount.

A build must find packages where this machine finds them (a company's index, a folder of wheels, a proxy's certificate
authority), and the image must keep none of this. A mount on a path that the base lacks would leave an empty file at
that path. So everything is mounted over root's home, which every base has.
"""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_HOME = "/root"
_COPIED = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "timeout", "no-index", "retries")
_FILES = ("cert", "client-cert", "constraint")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
CANARY = "canary-of-the-build.invalid"
"""A host in the configuration that is trusted and never asked: where it is found, the configuration was."""


@dataclass(frozen=True, kw_only=True)
class PipConfiguration:
    """The configuration as arguments of a build."""

    mounts: tuple[str, ...]
    """`SOURCE:TARGET:ro`, for `Engine.build`."""
    private: tuple[str, ...]
    """Values that must not be found in an image."""


def prepare_pip_configuration(home: Path) -> PipConfiguration:
    """Write this machine's configuration into `home`, an empty folder, with the certificates that it names."""
    mounts = [f"{home}:{_HOME}:ro"]
    options: dict[str, str] = {}
    private = {CANARY, *(value for name, value in os.environ.items() if name.lower() in _PROXIES)}
    for name, value in _settings().items():
        if name in _FILES:
            shutil.copyfile(value, home / name)
            options[name] = f"{_HOME}/{name}"
        elif name in _COPIED:
            words = value.split()
            private.update(word for word in words if "/" in word)
            options[name] = "\n".join(_reachable(word, home, mounts) for word in words)
    options["trusted-host"] = f"{options.get('trusted-host', '')}\n{CANARY}".strip()
    parser = configparser.RawConfigParser()
    parser["global"] = options
    path = home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8") as file:
        parser.write(file)
    return PipConfiguration(mounts=tuple(mounts), private=tuple(sorted(private - {""})))


def _settings() -> dict[str, str]:
    """Return pip's settings by the names of their options; a variable PIP_* wins over a file, as it does in pip."""
    listed: list[tuple[str, str]] = []
    for python in (sys.executable, str(Path(sys.base_prefix) / "bin" / "python3")):
        ran = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            listed = [(name, value) for name, _, value in (line.partition("=") for line in ran.stdout.splitlines())]
            break
    found = {"cert": certificates} if (certificates := os.environ.get("REQUESTS_CA_BUNDLE")) else {}
    for prefix in ("global.", "install.", ":env:."):
        for name, value in listed:
            if name.startswith(prefix):
                found[name.removeprefix(prefix)] = str(ast.literal_eval(value))
    return found


def _reachable(word: str, home: Path, mounts: list[str]) -> str:
    """Mount a folder of this machine that pip looks into, and return what the build calls it."""
    path = Path(word.removeprefix("file://"))
    if not path.is_absolute() or not path.is_dir():
        return word
    is_index = word.startswith("file://")  # the files of an index lie beside it
    inside = f"packages-{len(mounts)}"
    (home / inside).mkdir()
    mounts.append(f"{path.parent if is_index else path}:{_HOME}/{inside}:ro")
    return f"file://{_HOME}/{inside}/{path.name}" if is_index else f"{_HOME}/{inside}"
