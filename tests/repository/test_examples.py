"""Every example in a docstring is run: a page that lies is worse than none."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

_PACKAGES = ("mayfly", "orchestrations", "triggers", "worker", "local_host", "streamlit_dashboard", "drills")


def _modules() -> list[str]:
    names = []
    for package in _PACKAGES:
        root = importlib.import_module(package)
        found = [info.name for info in pkgutil.walk_packages(root.__path__, f"{package}.")]
        names += [
            package,
            *(name for name in found if not name.endswith(("__main__", ".app")) and ".screens." not in name),
        ]
    return names


@pytest.mark.parametrize("name", _modules())
def test_the_examples_of(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_there_are_examples_to_run() -> None:
    finder = doctest.DocTestFinder()
    found = [test for test in finder.find(importlib.import_module("mayfly.jobs.names")) if test.examples]
    assert len(found) >= 3
