"""Each module has its test where a reader expects it, or is on a list that may only shrink."""

from __future__ import annotations

from pathlib import Path

from tests.repository.declarations import declares_only

ROOT = Path(__file__).parents[2]
PACKAGES = ("drills", "local_host", "mayfly", "orchestrations", "streamlit_dashboard", "triggers", "worker")
WITHOUT = Path(__file__).with_name("without_mirrored_test.txt")
"""Modules with behavior that only tests of other modules exercise."""


def mirrored(module: Path) -> Path:
    """Return where a module's test belongs; both paths are relative to the repository."""
    folder = Path("tests") / module.parent
    return folder / f"test_{module.name}"


def test_every_module_has_a_mirrored_test_or_is_listed() -> None:
    modules = [
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not path.stem.startswith("__")
    ]
    without = {
        str(module)
        for module in modules
        if not (ROOT / mirrored(module)).exists() and not declares_only((ROOT / module).read_text(encoding="utf-8"))
    }
    listed = WITHOUT.read_text(encoding="utf-8").split()
    assert listed == sorted(listed)
    assert without - set(listed) == set(), "add a test at tests/…/test_MODULE.py: the list may only shrink"
    assert set(listed) - without == set(), "remove these from the list"
