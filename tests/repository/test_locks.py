"""The lock files contain the requirements of pyproject.toml, with hashes, for every Python from 3.11 to 3.14."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_EXTRAS: Mapping[str, Sequence[str]] = PYPROJECT["project"]["optional-dependencies"]
_GROUPS: Mapping[str, Sequence[str]] = PYPROJECT["dependency-groups"]
LOCKS: Mapping[str, Sequence[Sequence[str]]] = {
    "requirements.txt": [_EXTRAS["function-app"]],
    "requirements-local.txt": [_EXTRAS["host"], _EXTRAS["cli"], _GROUPS["build"]],
    "streamlit_dashboard/requirements.txt": [_EXTRAS["dashboard"]],
    "requirements-dev.txt": [*_EXTRAS.values(), *_GROUPS.values()],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_PIN = re.compile(
    r"(?P<requirement>[a-z0-9-]+==[^\s;]+(?: ; [^\\]+)?) \\\n(?P<hashes>(?:    --hash=sha256:\w{64}.*\n)+)"
)


def pins(name: str) -> list[Requirement]:
    return [Requirement(pin["requirement"]) for pin in _PIN.finditer((ROOT / name).read_text(encoding="utf-8"))]


def at(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}


def chosen(name: str, python: str) -> dict[str, str]:
    """Return the version of each package that a lock file gives a Python on Linux."""
    found = [one for one in pins(name) if one.marker is None or one.marker.evaluate(at(python))]
    versions = {one.name: str(one.specifier).removeprefix("==") for one in found}
    assert len(versions) == len(found), f"{name} pins a package twice for Python {python}"
    return versions


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_nothing_but_pins_with_hashes_and_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(pins(name)) > 20
    rest = [line for line in _PIN.sub("", text).splitlines() if line and not line.lstrip().startswith("#")]
    assert rest == []
    assert not re.search(r"://|--(extra-)?index|--find-links|\b(org|com|net|io)\b", text)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_contains_every_requirement_of_pyproject(name: str, python: str) -> None:
    versions = chosen(name, python)
    for line in [*PYPROJECT["project"]["dependencies"], *(line for lines in LOCKS[name] for line in lines)]:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate(at(python)):
            locked = versions.get(canonicalize_name(wanted.name))
            assert locked is not None, f"{name} lacks {wanted.name}: make locks"
            assert wanted.specifier.contains(locked), f"{name} has {wanted.name} {locked}, not {line}: make locks"


@pytest.mark.parametrize("python", PYTHONS)
def test_all_lock_files_agree(python: str) -> None:
    whole = chosen("requirements-dev.txt", python)
    for name in LOCKS:
        assert chosen(name, python).items() <= whole.items(), f"{name} differs from requirements-dev.txt: make locks"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-local.txt", "requirements-dev.txt"])
def test_the_functions_sdk_is_the_one_for_each_python(name: str) -> None:
    generations = [chosen(name, python)["azure-functions"].split(".")[0] for python in PYTHONS]
    assert generations == ["1", "1", "2", "2"]
    assert {chosen(name, python)["azure-functions-durable"][:4] for python in PYTHONS} == {"1.7."}


@pytest.mark.parametrize("python", PYTHONS)
def test_the_dashboard_needs_no_functions_package(python: str) -> None:
    assert not [name for name in chosen("streamlit_dashboard/requirements.txt", python) if "functions" in name]


def test_the_base_install_is_for_using_mayfly_from_a_program() -> None:
    assert {Requirement(line).name for line in PYPROJECT["project"]["dependencies"]} == {"httpx", "pydantic"}
