"""The repository contains no addresses of registries, no paths of machines and no keys."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_FORBIDDEN = {
    "the address of a package registry": r"(index-url|extra-index|find-links)[ =]|pypi\.|pythonhosted|npmjs|registry=",
    "a path of one machine": r"/(root|home|Users)/[a-z]\w+/|/wor[k]/(main|shared)",  # [k]: not to hold it itself
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY|AccountKey=[A-Za-z0-9+/]{20}",
}


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("there is no git repository here, so there are no committed files to check")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", _FORBIDDEN)
def test_no_committed_file_holds(what: str) -> None:
    pattern = re.compile(_FORBIDDEN[what])
    for path in _tracked():
        if path == Path(__file__):
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        found = pattern.search(text)
        assert found is None, f"{path.relative_to(ROOT)} holds {what}: {found.group() if found else ''}"


def test_no_key_or_store_is_committed() -> None:
    names = {path.name for path in _tracked()}
    assert not {name for name in names if name.endswith((".db", ".key", ".pem"))}
    assert "local.settings.json" not in names
