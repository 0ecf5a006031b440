"""The client and the wording need only what the base install has."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest

_BASE = ("httpx", "pydantic")
_IMPORT_ALL = """
import importlib, pkgutil, sys

class Blocked:
    names = set(sys.argv[2:])

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    importlib.import_module(module.name)
"""


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _with_dependencies(names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    left = list(names)
    while left:
        name = _normalized(left.pop())
        if name in found:
            continue
        found.add(name)
        try:
            left += [re.split(r"[^\w.-]", one)[0] for one in requires(name) or () if "extra ==" not in one]
        except PackageNotFoundError:
            continue
    return found


@pytest.mark.parametrize("package", ["mayfly.client", "mayfly.wording"])
def test_it_is_imported_with_the_packages_of_the_base_install_alone(package: str) -> None:
    allowed = _with_dependencies(_BASE) | {"mayfly"}
    others = [
        module
        for module, distributions in packages_distributions().items()
        if not {_normalized(name) for name in distributions} & allowed
    ]
    assert {"typer", "rich", "streamlit", "psutil"} <= set(others)
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, package, *others], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
