"""Rules of the Dockerfiles that hold before anything is built; tests/images builds the images and runs them."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path

import pytest

from mayfly.containers.aci.runtime import WORKER_COMMAND

ROOT = Path(__file__).parents[2]


def entry_point(folder: str) -> list[str]:
    """Return the entry point that a folder's Dockerfile sets."""
    text = (ROOT / folder / "Dockerfile").read_text(encoding="utf-8")
    (found,) = re.findall(r"^ENTRYPOINT (.+)$", text, flags=re.MULTILINE)
    command: list[str] = json.loads(found)
    return command


def test_a_group_starts_what_the_workers_image_starts() -> None:
    """A group's command replaces the entry point of its image."""
    assert entry_point("worker") == list(WORKER_COMMAND)


@pytest.mark.parametrize("path", ["local.settings.json", ".mayfly/report.key", ".venv/bin/python", "tests/conftest.py"])
def test_files_that_no_image_needs_are_not_sent_to_the_registry(path: str) -> None:
    """`az acr build` uploads the folder; the last pattern that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.lstrip("!")
            if fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
                sent = line.startswith("!")
    assert not sent
