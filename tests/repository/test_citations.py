"""Every invariant and decision that is cited anywhere is defined in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.repository import style

ARCHITECTURE = style.ROOT / "docs" / "architecture.md"
DECISIONS = style.ROOT / "docs" / "decisions"
_DECISION = re.compile(r"\bdecisions?[ /](\d+)\b", re.IGNORECASE)


def defined_invariants() -> list[str]:
    """Return `I1`, `I2`, … in the order of their definitions."""
    return re.findall(r"^\*\*(I\d+)\*\* \S", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)


def _cited(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield each citation with the file that it is in."""
    try:
        names = style.tracked()
    except OSError:
        pytest.skip("there is no git repository here, so the files of the project are unknown")
    for name in names:
        text = (style.ROOT / name).read_text(encoding="utf-8", errors="replace")
        yield from ((cited, name) for cited in pattern.findall(text))


def test_the_invariants_are_defined_once_and_in_order() -> None:
    assert defined_invariants() == [f"I{number}" for number in range(1, 11)]


def test_every_cited_invariant_is_defined() -> None:
    known = set(defined_invariants())
    assert {(cited, name) for cited, name in _cited(re.compile(r"\b(I\d{1,2})\b")) if cited not in known} == set()


def test_every_invariant_is_cited_by_a_test() -> None:
    in_tests = {cited for cited, name in _cited(re.compile(r"\b(I\d{1,2})\b")) if name.startswith("tests/")}
    assert set(defined_invariants()) <= in_tests


def test_every_cited_decision_is_recorded() -> None:
    recorded = {int(path.name[:4]) for path in DECISIONS.glob("*.md")}
    assert {(cited, name) for cited, name in _cited(_DECISION) if int(cited) not in recorded} == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in DECISIONS.glob("*.md"))
    assert numbers == [*range(1, len(numbers) + 1)]
    for path in DECISIONS.glob("*.md"):
        heading = path.read_text(encoding="utf-8").splitlines()[0]
        assert heading.startswith(f"# {int(path.name[:4])}. "), path.name
