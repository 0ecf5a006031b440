"""`mayfly demo` and `mayfly chaos` need a checkout, and pass their options on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.cli import drill
from tests.mayfly.cli.conftest import Run


@pytest.mark.parametrize("name", ["demo", "chaos"])
def test_an_installed_package_names_the_way_to_run_a_drill(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(drill, "_CHECKOUT", tmp_path)
    ran = run(name)
    assert ran.exit_code == 2
    assert f"mayfly {name} runs only in a checkout of Mayfly" in ran.err
    assert f"make {name}" in ran.err


@pytest.mark.parametrize(("name", "option"), [("demo", "--data"), ("chaos", "--seed")])
def test_the_options_of_a_drill_are_its_own(run: Run, name: str, option: str) -> None:
    ran = run(name, "--help")
    assert ran.exit_code == 0
    assert option in ran.out
    assert run(name, "--nonsense").exit_code == 2
