"""Nothing in the operator's pages refers to a file, parameter, output, setting, role or command that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mayfly.cli.app import COMMANDS
from tests.bicep.files import BICEP, FILES, MAIN, ROOT, outputs, parameters, text

PAGES = [ROOT / "docs" / name for name in ("deploy.md", "operate.md", "security.md")]
DEPLOY = PAGES[0]
FROM_AZD = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
PLACEHOLDERS = {"RESOURCE_GROUP_OF_CONTAINERS", "ADDRESS", "JOB"}
SHELL = {"ENV", "REGION", "KEY", "APP"}
"""Variables that the page itself sets."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _code(page: Path) -> str:
    """Return the code on a page: blocks and spans."""
    return "\n".join(re.findall(r"```.*?```|`[^`]+`", page.read_text(encoding="utf-8"), re.DOTALL))


@each_page
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    roots = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
    named = set(
        re.findall(rf"(?<![\w/.-])((?:{roots})/[\w./-]*\w|[\w-]+\.(?:md|py|json|yaml|txt))(?![\w/])", _code(page))
    )
    named |= {f"docs/{link}" for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8"))}
    assert named or page != DEPLOY
    missing = {name for name in named if not (ROOT / name).exists() and not (ROOT / "docs" / name).exists()}
    assert missing - {"log.jsonl"} == set()


@each_page
def test_every_variable_that_a_page_names_is_an_output_or_a_setting(page: Path) -> None:
    settings = set(re.findall(r"^\| (MAYFLY_\w+) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    settings |= set(re.findall(r"^ +(MAYFLY_\w+): ", text(BICEP / "modules" / "app.bicep"), re.MULTILINE))
    given = set(re.findall(r"\$\{(MAYFLY_\w+?)[=}]", (BICEP / "main.parameters.json").read_text()))
    known = outputs(MAIN) | settings | given | FROM_AZD | {"MAYFLY_DASHBOARD_CLIENT_ID"}
    found = set(re.findall(r"\b((?:MAYFLY|AZURE)_[A-Z_]+)\b", page.read_text(encoding="utf-8")))
    assert found - known == set()
    used = set(re.findall(r"\$\{?([A-Z][A-Z_]*)", _code(page)))
    assert used - known - SHELL == set()


def test_every_parameter_is_in_the_guide_and_the_guide_has_no_other() -> None:
    asked = {one.name for one in parameters(MAIN)}
    page = DEPLOY.read_text(encoding="utf-8")
    assert {name for name in asked if f"`{name}`" not in page} == set()
    command = re.search(r"az deployment sub create.*?\n\n", page, re.DOTALL)
    assert command is not None
    passed = set(re.findall(r"(?<![\w-])(\w+)=\"", command[0]))
    assert passed <= asked
    assert {one.name for one in parameters(MAIN) if not one.has_default} <= passed
    for variable, parameter in re.findall(r"^\| (MAYFLY_\w+) \| `(\w+)` \|", page, re.MULTILINE):
        line = rf'"{parameter}": \{{ "value": "\$\{{{variable}'
        assert re.search(line, (BICEP / "main.parameters.json").read_text()), variable


def test_outputs_become_variables_in_whatever_case_azure_returns_them() -> None:
    """Resource Manager may lower the case of an output's name; the guide raises it, so names must be all upper."""
    assert {name for name in outputs(MAIN) if name != name.upper()} == set()
    assert "name.upper()" in DEPLOY.read_text(encoding="utf-8")


def test_the_package_contains_everything_that_the_app_imports() -> None:
    page = DEPLOY.read_text(encoding="utf-8")
    packed = re.search(r"git archive .* HEAD (.*)", page)
    assert packed is not None
    names = set(packed[1].split())
    assert {"function_app.py", "host.json", "requirements.txt"} <= names
    for folder in ("mayfly", "triggers", "orchestrations"):
        assert folder in names
    ignored = (ROOT / ".funcignore").read_text(encoding="utf-8").split()
    assert names & set(ignored) == set()


@each_page
def test_every_command_of_ours_exists(page: Path) -> None:
    known = {command.name for command in COMMANDS}
    found = set(re.findall(r"(?:^|`|\.venv/bin/)mayfly ([a-z]+)", _code(page), re.MULTILINE))
    assert found - known == set()


def test_every_name_of_a_resource_that_the_pages_use_is_in_the_templates() -> None:
    templates = "\n".join(text(path) for path in FILES)
    for page in PAGES:
        for name in re.findall(r"`(id-\w+|the-log-is-kept|mayfly-[a-z]+-key)`", page.read_text(encoding="utf-8")):
            in_hooks = "\n".join(path.read_text(encoding="utf-8") for path in (BICEP / "hooks").iterdir())
            assert name in templates or name in in_hooks, f"{page.name}: {name}"
