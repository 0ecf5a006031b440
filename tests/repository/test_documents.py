"""The documents agree with the code and with the files."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mayfly import settings_table
from mayfly.jobs.events import KINDS
from mayfly.jobs.lifecycle import STATES, page
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.submit import parse_spec
from tests.repository import style
from tests.triggers.function_host import functions

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_lifecycle_page_is_not_stale() -> None:
    assert (ROOT / "docs/lifecycle.md").read_text() == page(), "python -m mayfly.jobs.lifecycle > docs/lifecycle.md"


def test_the_pictures_of_the_readme_exist_and_are_small() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) == 2
    for name in pictures:
        assert (ROOT / name).stat().st_size < 300_000, name


def test_the_readme_has_under_200_lines() -> None:
    assert len(README.splitlines()) < 200


def test_the_readme_names_every_event_and_no_other() -> None:
    table = README[README.index("| event | when |") : README.index("States and transitions")]
    named = set(re.findall(r"`([A-Z]\w+)`", table))
    assert named == set(KINDS)


def test_the_readme_names_every_state() -> None:
    assert set(re.findall(r"`([a-z_]+)`", README)) >= set(STATES)


def test_the_readmes_example_of_a_job_is_valid_and_uses_only_known_names() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    spec = parse_spec(json.loads(example))
    assert isinstance(spec, JobSpec)


def test_every_link_of_the_documents_leads_to_a_file() -> None:
    for document in (ROOT / name for name in style.tracked() if name.endswith(".md")):
        for link in re.findall(r"\]\(([^)#\s]+)\)", document.read_text()):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_link_to_a_heading_leads_to_one() -> None:
    for document in (ROOT / name for name in style.tracked() if name.endswith(".md")):
        for link, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", document.read_text()):
            target = document.parent / link if link else document
            assert anchor in _anchors(target), f"{document.name}: {link}#{anchor}"


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_folder_and_file_that_the_readme_lists_exists() -> None:
    table = README[README.index("## Layout") : README.index("## Work on it")]
    for name in re.findall(r"`([\w./]+)`", table):
        if "/" in name or "." in name:
            assert (ROOT / name).exists(), name


def test_every_path_that_a_page_names_exists() -> None:
    top = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir())
    for name in style.tracked():
        if name.endswith(".md"):
            prose = re.sub(r"^```.*?^```", "", (ROOT / name).read_text(), flags=re.DOTALL | re.MULTILINE)
            for path in re.findall(rf"`((?:{top}|drills)/[\w./-]*)`", prose):
                assert (ROOT / path).exists() or "NAME" in path, f"{name}: {path}"


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", README)) <= targets


def test_every_address_that_the_readme_calls_is_served() -> None:
    served = {
        re.sub(r"\{\w+\}", "X", binding.get_dict_repr()["route"])
        for function in functions().values()
        for binding in function.get_bindings()
        if binding.get_dict_repr()["type"] == "httpTrigger"
    }
    called = {re.sub(r"\$JOB", "X", path) for path in re.findall(r"\$API/([\w/$]+)", README)}
    assert called
    assert called <= served


def test_the_settings_page_is_not_stale() -> None:
    assert (ROOT / "docs/settings.md").read_text() == settings_table.page(), (
        "python -m mayfly.settings_table > docs/settings.md"
    )


def test_the_settings_page_names_every_variable_that_is_read() -> None:
    sources = [
        path for folder in ("mayfly", "triggers", "streamlit_dashboard") for path in (ROOT / folder).rglob("*.py")
    ]
    read = {name for path in sources for name in re.findall(r"environ\S*[(\[]\"(MAYFLY_\w+)\"", path.read_text())}
    assert read
    assert read <= {row.name for group in settings_table.GROUPS for row in group.rows}
