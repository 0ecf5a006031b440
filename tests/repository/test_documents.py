"""What the documents say, held against what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mayfly import settings_table
from mayfly.jobs.events import KINDS
from mayfly.jobs.lifecycle import STATES, page
from mayfly.jobs.spec import JobSpec
from mayfly.use_cases.submit import parse_spec
from tests.triggers.function_host import functions

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_lifecycle_page_is_not_stale() -> None:
    assert (ROOT / "docs/lifecycle.md").read_text() == page(), "python -m mayfly.jobs.lifecycle > docs/lifecycle.md"


def test_the_readme_has_under_200_lines() -> None:
    assert len(README.splitlines()) < 200


def test_the_readme_names_every_event_and_no_other() -> None:
    table = README[README.index("| event | when |") : README.index("The states and their ways")]
    named = set(re.findall(r"`([A-Z]\w+)`", table))
    assert named == set(KINDS)


def test_the_readme_names_every_state() -> None:
    assert set(re.findall(r"`([a-z_]+)`", README)) >= set(STATES)


def test_the_readmes_example_of_a_job_is_one_and_uses_only_known_names() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    spec = parse_spec(json.loads(example))
    assert isinstance(spec, JobSpec)


def test_every_link_of_the_documents_leads_to_a_file() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#\s]+)\)", document.read_text()):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_folder_and_file_that_the_readme_lists_is_there() -> None:
    table = README[README.index("## Where things are") : README.index("## Work on it")]
    for name in re.findall(r"`([\w./]+)`", table):
        if "/" in name or "." in name:
            assert (ROOT / name).exists(), name


def test_every_make_target_that_the_readme_names_is_there() -> None:
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


@pytest.mark.parametrize(
    "name",
    ["requirements.txt", "requirements-local.txt", "requirements-dev.txt", "streamlit_dashboard/requirements.txt"],
)
def test_every_requirement_is_pinned_and_none_names_an_address(name: str) -> None:
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[\w+\])?==[\w.]+(; .+)?", line), line


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
    assert read <= settings_table.names()
