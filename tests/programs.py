"""Programs in Python that tests put on PATH."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def write_python_program(path: Path, code: str) -> None:
    """Write an executable that runs this code with the Python of the tests.

    A shell starts it: the path of Python cannot follow `#!` if it has a space or is long.
    """
    source = path.with_name(f"{path.name}.py")
    source.write_text(code, encoding="utf-8")
    command = shlex.join([sys.executable, "-u", str(source)])
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
