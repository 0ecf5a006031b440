"""`make` sets up .venv once, repairs it when it is broken, and says in one sentence why it cannot."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FAKE_UV = """#!/bin/sh
# Does what the setup needs from uv, and records the arguments.
echo "$*" >>"$UV_CALLS"
if [ "$1" = venv ]; then
    for path; do :; done
    mkdir -p "$path/bin" && ln -s "$UV_PYTHON_TO_LINK" "$path/bin/python"
elif [ -n "$UV_SAYS" ]; then
    printf '%b\\n' "$UV_SAYS" >&2
    exit 1
fi
"""


class Checkout:
    """A folder with everything that the setup reads, and a uv that installs nothing."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "my checkout"
        self.root.mkdir()
        for name in (".make", "streamlit_dashboard"):
            (self.root / name).mkdir()
        for name in ("pyproject.toml", "requirements-local.txt", "requirements-dev.txt", "Makefile"):
            shutil.copy(ROOT / name, self.root)
        shutil.copy(ROOT / "streamlit_dashboard/requirements.txt", self.root / "streamlit_dashboard")
        for file in (ROOT / ".make").glob("*.py"):
            shutil.copy(file, self.root / ".make")
        self.bin = tmp_path / "bin"
        self.bin.mkdir()
        self._calls = tmp_path / "calls"
        self.program("uv", _FAKE_UV)
        (self.bin / "python3").symlink_to(sys.executable)
        self.environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "UV_CALLS": str(self._calls),
            "UV_PYTHON_TO_LINK": sys.executable,
        }

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def python(self, name: str, version: str, *, lacks: str = "") -> None:
        """Put a fake Python on PATH that only prints these answers."""
        self.program(name, f"#!/bin/sh\necho '{version}'\necho '{lacks}'\necho /nowhere/{name}\n")

    def set_up(self, purpose: str = "local", **environment: str) -> subprocess.CompletedProcess[str]:
        self._calls.write_text("")
        return subprocess.run(
            [sys.executable, ".make/set_up.py", purpose],
            cwd=self.root,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """The arguments of each call of uv: `venv`, a lock file, or `.` for Mayfly itself."""
        found = re.findall(r"^(venv)|-r (\S+)$|--editable (\.)$", self._calls.read_text(), re.MULTILINE)
        return ["".join(each) for each in found]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_setup_can_be_read_by_python_3_6() -> None:
    for file in (ROOT / ".make").glob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_a_new_checkout_is_set_up_once(checkout: Checkout) -> None:
    first = checkout.set_up()
    assert (first.returncode, checkout.calls) == (0, ["venv", "requirements-local.txt", "."])
    assert re.search(r"  \d\d packages from requirements-local.txt\n", first.stderr)
    second = checkout.set_up()
    assert (second.returncode, second.stderr, checkout.calls) == (0, "", [])


def test_another_purpose_adds_what_it_needs(checkout: Checkout) -> None:
    checkout.set_up("local")
    checkout.set_up("dashboard")
    assert checkout.calls == ["requirements-local.txt", "streamlit_dashboard/requirements.txt"]
    checkout.set_up("dev")
    assert checkout.calls == ["requirements-dev.txt"]
    for purpose in ("local", "dashboard", "dev"):
        checkout.set_up(purpose)
        assert checkout.calls == []


def test_a_changed_lock_file_is_installed_and_nothing_else(checkout: Checkout) -> None:
    checkout.set_up()
    with (checkout.root / "requirements-local.txt").open("a") as lock:
        lock.write("# changed\n")
    checkout.set_up()
    assert checkout.calls == ["requirements-local.txt"]


def test_a_checkout_that_was_moved_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.set_up()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert checkout.set_up().returncode == 0
    assert checkout.calls[0] == "venv"


def test_an_environment_whose_python_is_gone_is_replaced(checkout: Checkout) -> None:
    checkout.set_up()
    python = checkout.root / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert checkout.set_up().returncode == 0
    assert checkout.calls[0] == "venv"


@pytest.mark.parametrize("record", [None, "{", '{"finished": false}'])
def test_an_incomplete_environment_is_replaced(checkout: Checkout, record: str | None) -> None:
    checkout.set_up()
    path = checkout.root / ".venv/mayfly-setup.json"
    if record is None:
        path.unlink()
    elif record == "{":
        path.write_text(record)
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | json.loads(record)))
    assert checkout.set_up().returncode == 0
    assert checkout.calls[0] == "venv"


def test_an_installer_that_wrote_nothing_leaves_the_environment_in_use(checkout: Checkout) -> None:
    checkout.set_up()
    failed = checkout.set_up("dashboard", UV_SAYS="error: Failed to fetch\\n  dns error")
    assert failed.returncode == 1
    assert checkout.set_up("local").stderr == ""
    assert checkout.calls == []


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("error: Failed to fetch\\n  Caused by: dns error", "the package index cannot be reached"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "served other files than were locked"),
        ("ERROR: No matching distribution found for numpy==2.4.6", "no release for this Python and system"),
        ("it broke", "see the lines above"),
    ],
)
def test_a_failed_installer_is_shown_whole_with_one_sentence(checkout: Checkout, output: str, sentence: str) -> None:
    noise = "WARNING: Location 'somewhere' is ignored\\n"
    failed = checkout.set_up(UV_SAYS=noise * 30 + output)
    assert failed.returncode == 1
    *_, shown, last = failed.stderr.splitlines()
    assert output.split("\\n")[-1].strip() in shown
    assert last.startswith("error: ")
    assert sentence in last
    assert "WARNING" not in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("version", "lacks", "sentence"),
    [
        ("3 9 2", "", "Mayfly needs Python 3.11 or newer, and python3 is Python 3.9.2: install another Python"),
        ("3 12 1", "sqlite3", "python3 is Python 3.12.1 without sqlite3: build it again with libsqlite3-dev installed"),
        ("3 13 5", "ensurepip", "python3 is Python 3.13.5 without venv: run `apt-get install python3.13-venv`"),
    ],
)
def test_an_unsuitable_python_is_named_with_the_fix(
    checkout: Checkout, version: str, lacks: str, sentence: str
) -> None:
    (checkout.bin / "uv").unlink()
    (checkout.bin / "python3").unlink()
    checkout.python("python3", version, lacks=lacks)
    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        checkout.program(name, "#!/bin/sh\nexit 127\n")  # as a shim of pyenv without a version
    failed = checkout.set_up()
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"error: {sentence}")
    assert failed.stderr.count("\n") == 1


def test_a_suitable_python_is_found_after_an_unsuitable_one(checkout: Checkout) -> None:
    (checkout.bin / "python3").unlink()
    checkout.python("python3", "3 9 2")
    (checkout.bin / "python3.14").symlink_to(sys.executable)
    assert checkout.set_up().returncode == 0


def test_a_python_that_was_named_but_does_not_exist_is_an_error(checkout: Checkout) -> None:
    failed = checkout.set_up(PYTHON="/nowhere/python3")
    assert "PYTHON=/nowhere/python3 does not run" in failed.stderr


def test_make_without_any_python_says_so_and_without_a_target_lists_them(checkout: Checkout, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "sh", "awk"):
        (tools / name).symlink_to(str(shutil.which(name)))
    environment = {"PATH": str(tools), "HOME": os.environ.get("HOME", "/")}
    command = [str(tools / "make"), "-C", str(checkout.root)]
    failed = subprocess.run([*command, "demo"], env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "error: Mayfly needs Python 3.11 or newer, and none was found" in failed.stderr
    helped = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    for target in ("demo", "up", "test", "check", "soak", "chaos", "bench", "format", "locks", "clean"):
        assert f"make {target} " in helped.stdout
