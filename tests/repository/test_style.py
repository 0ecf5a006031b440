"""Nothing that a person reads has a habit of phrasing that `habits` lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repository import style
from tests.repository.habits import HABITS, Habit
from tests.repository.prose import passages


def _tracked() -> list[str]:
    try:
        return style.tracked()
    except OSError:
        pytest.skip("there is no git repository here, so the files of the project are unknown")


def _checked() -> list[str]:
    return [name for name in _tracked() if not style.under(name, style.EXEMPT)]


def test_no_checked_file_has_a_habit() -> None:
    found = [str(finding) for name in _checked() for finding in style.findings(name)]
    assert not found, "\n".join(["", *found])


def test_the_pages_that_users_read_are_checked() -> None:
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/operate.md", "docs/lifecycle.md"} <= set(_checked())


def test_every_exempt_path_exists() -> None:
    assert [path for path in style.EXEMPT if not (style.ROOT / path).exists()] == []


def test_every_allowance_is_used_and_gives_a_reason() -> None:
    for one in style.ALLOWED:
        assert one.reason
        files = [name for name in _tracked() if style.under(name, [one.path])]
        others = [other for other in style.ALLOWED if other is not one]
        spared = sum(len([*style.findings(name, others)]) - len([*style.findings(name)]) for name in files)
        assert spared > 0, f"nothing in {one.path} needs the allowance for {one.phrase!r}"


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.name)
def test_a_habit_is_found_in_its_example_and_in_no_cure(habit: Habit) -> None:
    assert habit.regex.search(habit.example)
    assert [other.name for other in HABITS if other.regex.search(habit.better)] == []


def test_a_phrase_is_found_over_a_line_break_and_named_with_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A page\n\nIt works, also\nwhen the host is killed.\n")
    (passage,) = passages(page)
    found = [
        (habit.name, passage.line_at(match.start())) for habit in HABITS for match in habit.regex.finditer(passage.text)
    ]
    assert found == [("also-when", 3)]


def test_code_in_a_page_is_not_prose(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`anew` [x](anew.md)\n<!-- anew -->\n```json\nanew\n```\n```sh\nanew\n# done anew\n```\n")
    (passage,) = passages(page)
    assert [passage.line_at(match.start()) for match in re.finditer("anew", passage.text)] == [8]


def test_docstrings_comments_and_messages_of_python_are_prose(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""Made\nanew.\n\n>>> "anew"\n\'anew\'\n"""\n'
        "# drawn\n# anew\n"
        "name = 'anew'\n"
        "query = 'SELECT anew FROM t'\n"
        "message = f'{name} is drawn anew'\n"
    )
    found = [
        passage.line_at(match.start())
        for passage in passages(module)
        for match in re.finditer(r"\banew\b", passage.text)
    ]
    assert found == [2, 8, 11]
