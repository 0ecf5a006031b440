"""The files around the code: editors, GitHub, the dev container, and the function app's package."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.repository import style

ROOT = style.ROOT
_PACKAGED = {"function_app.py", "host.json", "requirements.txt", "mayfly", "orchestrations", "triggers", "worker"}
_NEEDED_TO_DEPLOY = {"pyproject.toml"}


def _top_level() -> set[str]:
    try:
        return {name.partition("/")[0] for name in style.tracked()}
    except OSError:
        pytest.skip("there is no git repository here, so the files of the project are unknown")


def _ignored(name: str, file: str) -> bool:
    patterns = (ROOT / file).read_text(encoding="utf-8").split("\n")
    return any(fnmatch.fnmatch(name, pattern.rstrip("/")) for pattern in patterns if pattern)


def test_the_function_app_is_deployed_without_unneeded_files() -> None:
    sent = {name for name in _top_level() if not _ignored(name, ".funcignore")}
    assert sent - _NEEDED_TO_DEPLOY <= _PACKAGED | {name for name in sent if name.startswith("requirements")}
    assert {name for name in _PACKAGED if _ignored(name, ".funcignore")} == set()


@pytest.mark.parametrize("name", ["launch", "tasks", "extensions", "settings"])
def test_the_settings_of_the_editor_are_json(name: str) -> None:
    assert json.loads((ROOT / ".vscode" / f"{name}.json").read_text(encoding="utf-8"))


def test_every_module_that_the_editor_starts_exists_and_every_task_is_defined() -> None:
    launch = json.loads((ROOT / ".vscode" / "launch.json").read_text(encoding="utf-8"))
    tasks = json.loads((ROOT / ".vscode" / "tasks.json").read_text(encoding="utf-8"))
    labels = {task["label"] for task in tasks["tasks"]}
    for one in launch["configurations"]:
        assert "module" not in one or importlib.util.find_spec(one["module"]), one["name"]
        assert "preLaunchTask" not in one or one["preLaunchTask"] in labels, one["name"]


def test_the_dev_container_forwards_the_ports_of_mayfly_up() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["forwardPorts"] == [7071, 8501]
    recommended = json.loads((ROOT / ".vscode" / "extensions.json").read_text(encoding="utf-8"))["recommendations"]
    assert container["customizations"]["vscode"]["extensions"] == recommended


def test_github_runs_the_script_that_everyone_can_run() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert " .ci/run\n" in workflow
    assert "az bicep build" in workflow


def test_every_folder_that_dependabot_watches_exists() -> None:
    watched = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")
    folders = re.findall(r"\"(/[\w/-]*)\"|directory: (/[\w/-]+)", watched)
    assert len(folders) >= 5
    for listed, single in folders:
        assert (ROOT / (listed or single).lstrip("/")).is_dir(), listed or single


def test_the_hooks_call_tools_of_the_virtual_environment() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"entry: (\S+)", hooks)
    assert entries
    assert all(entry.startswith(".venv/bin/") for entry in entries)
    for test in re.findall(r"tests/\S+\.py", hooks):
        assert (ROOT / test).is_file(), test


def test_the_table_of_tests_names_every_folder() -> None:
    page = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)/`", page))
    there = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert named == there


def test_every_target_that_the_documents_name_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in _pages():
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named - targets == set(), page.name


def _pages() -> list[Path]:
    return [ROOT / name for name in style.tracked() if name.endswith(".md")]
