"""The base image of the Dockerfiles: pulled where a registry can be reached, or assembled from this machine's files.

The assembled image holds an interpreter with its standard library and pip, a shell, and the few programs that the
Dockerfiles run, each with its shared libraries. It is larger than nothing and smaller than Debian: enough to build and
run the images of this repository.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.images.engine import Engine, EngineFailed

_PULLED_WITHIN_S = 180.0
_PROGRAMS = ("sh", "cat", "env", "id", "ls", "mkdir", "nologin", "rm", "sleep", "useradd")
_LIBRARIES_OF_WHEELS = (
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
)
"""Libraries that the manylinux policy lets a wheel expect on the system, besides libc (source: PEP 599)."""
_LEFT_OUT = ("__pycache__", "config-*", "EXTERNALLY-MANAGED", "idlelib", "site-packages", "dist-packages", "test")
_LEFT_OUT_TOO = ("tkinter", "_tkinter*", "turtledemo", "sitecustomize.py")
_CONTAINERFILE = """\
FROM scratch
COPY . /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
RUN python -m ensurepip --default-pip
CMD ["python3"]
"""
_DESCRIBES_ITSELF = """
import json, os, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(sys.executable),
    "standard_library": sysconfig.get_path("stdlib"),
    "version": f"{sys.version_info.major}.{sys.version_info.minor}",
    "wheels": sysconfig.get_config_var("WHEEL_PKG_DIR") or None,
}))
"""


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A Python of this machine."""

    executable: str
    standard_library: str
    version: str
    wheels: str | None
    """The distribution's folder of pip's wheel; None: `ensurepip` has it."""


def provide_base(engine: Engine, name: str, folder: Path) -> str:
    """Provide the engine with an image of that name (`python:3.13-slim`), and return its origin.

    `folder` is empty, and holds the assembled files afterwards.
    """
    full_name = f"docker.io/library/{name}"
    try:
        engine.run("pull", "--quiet", full_name, timeout_s=_PULLED_WITHIN_S)
    except EngineFailed:
        interpreter = _find_interpreter(name.partition(":")[2].partition("-")[0])
        tree = folder / "tree"
        _assemble(tree, interpreter)
        containerfile = folder / "Containerfile"
        containerfile.write_text(_CONTAINERFILE, encoding="utf-8")
        engine.build(tree, tag=full_name, dockerfile=containerfile)
        return f"assembled from this machine's Python {interpreter.version} (no registry was reachable)"
    return "pulled"


def _find_interpreter(version: str) -> Interpreter:
    """Return the Python of that version if this machine has one, otherwise the one that runs the tests."""
    candidates = [sys.executable, f"python{version}"]
    found = [interpreter for one in candidates if (interpreter := _describe(one)) is not None]
    return next((one for one in found if one.version == version), found[0])


def _describe(python: str) -> Interpreter | None:
    try:
        ran = subprocess.run([python, "-I", "-c", _DESCRIBES_ITSELF], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return Interpreter(**json.loads(ran.stdout))


def _assemble(tree: Path, interpreter: Interpreter) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    for name, mode in (("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("var", 0o755)):
        (tree / name).mkdir()
        (tree / name).chmod(mode)
    (tree / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="utf-8")
    (tree / "etc" / "group").write_text("root:x:0:\n", encoding="utf-8")
    programs = [Path(path) for name in _PROGRAMS if (path := shutil.which(name)) is not None]
    for program in programs:
        # By its name, for `sh` is a link to the shell itself.
        _copy(program, tree / "usr" / ("sbin" if "sbin" in program.parts else "bin") / program.name)
    extensions = _copy_python(interpreter, tree / "usr" / "local")
    _copy_libraries([Path(interpreter.executable), *programs, *extensions], tree)


def _copy_python(interpreter: Interpreter, prefix: Path) -> list[Path]:
    """Copy the interpreter and its standard library; return its extension modules."""
    name = f"python{interpreter.version}"
    _copy(Path(interpreter.executable), prefix / "bin" / name)
    for link in ("python", "python3"):
        (prefix / "bin" / link).symlink_to(name)
    library = prefix / "lib" / name
    left_out = shutil.ignore_patterns(*_LEFT_OUT, *_LEFT_OUT_TOO)
    shutil.copytree(interpreter.standard_library, library, ignore=left_out)
    (library / "site-packages").mkdir()
    if interpreter.wheels is not None:
        shutil.copytree(interpreter.wheels, prefix.parents[1] / interpreter.wheels.lstrip("/"))
    return list((library / "lib-dynload").glob("*.so"))


def _copy_libraries(binaries: list[Path], tree: Path) -> None:
    """Copy the shared libraries of these files beside libc, where the loader looks without any configuration."""
    found = {library for binary in binaries for library in _libraries_of(binary)}
    (libc,) = (library for library in found if library.name == "libc.so.6")
    found |= {path for name in _LIBRARIES_OF_WHEELS if (path := libc.parent / name).exists()}
    for library in found:
        loader = library.name.startswith("ld-")  # every program names it by its whole path
        _copy(library, tree / str(library if loader else libc.parent / library.name).lstrip("/"))


def _libraries_of(binary: Path) -> list[Path]:
    ran = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)  # 1: it is static
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", ran.stdout)]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
