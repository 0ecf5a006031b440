"""Import modules with nothing but the packages that extras of Mayfly bring.

`python installed_parts.py EXTRA,EXTRA MODULE...` fails at the first import of a package that they do not bring.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def brought_by(extras: str) -> set[str]:
    """Return the distributions that are installed with extras, such as "cli,host", or with none."""
    found: set[str] = set()
    waiting: list[tuple[str, str]] = [("mayfly", extra) for extra in ("", *extras.split(","))]
    while waiting:
        name, its_extra = waiting.pop()
        if f"{name}[{its_extra}]" in found:
            continue
        found |= {name, f"{name}[{its_extra}]"}
        for line in importlib.metadata.requires(name) or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": its_extra}):
                for each in ("", *wanted.extras):
                    waiting.append((canonicalize_name(wanted.name), each))
    return found


def owners() -> Mapping[str, set[str]]:
    """Return the distributions that each installed module belongs to."""
    found: dict[str, set[str]] = {}
    for one in importlib.metadata.distributions():
        name = canonicalize_name(one.metadata["Name"])
        for line in (one.read_text("RECORD") or "").splitlines():
            file = line.partition(",")[0]
            if file.endswith(".py") and not file.startswith(".."):
                module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                found.setdefault(module, set()).add(name)
    return found


class OnlyWhatIsBrought:
    """A finder that knows no other package."""

    def __init__(self, extras: str) -> None:
        self._extras = extras
        self._brought = brought_by(extras)
        self._owners = owners()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Find nothing. Errors: `ModuleNotFoundError` for what would be found and was not brought."""
        its_owners = self._owners.get(name)
        if its_owners and not its_owners & self._brought:
            raise ModuleNotFoundError(f"[{self._extras}] brings no {', '.join(its_owners)}, for {name}", name=name)


if __name__ == "__main__":
    sys.meta_path.insert(0, OnlyWhatIsBrought(sys.argv[1]))
    for each in sys.argv[2:]:
        importlib.import_module(each)
