"""What each Dockerfile copies is there, and what it starts works from exactly those files and its packages."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.installed_parts import owners
from tests.repository.test_locks import pins
from tests.waiting import HANG_GUARD_S
from tests.worker.conftest import TOKEN
from tests.worker.report_server import ReportServer

ROOT = Path(__file__).parents[2]
_FILES = {"worker": ROOT / "worker", "streamlit_dashboard": ROOT}
"""Each Dockerfile's folder, and the folder that it is built from."""


def instructions(name: str) -> list[tuple[str, str]]:
    whole = (ROOT / name / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", whole, flags=re.MULTILINE)).splitlines()
    return [(verb, rest.strip()) for verb, _, rest in (line.partition(" ") for line in lines if line)]


def built(name: str, image: Path) -> Path:
    """Copy as the Dockerfile does, and return the folder that its entry point starts in."""
    folder = image
    for verb, rest in instructions(name):
        if verb == "WORKDIR":
            folder = image / rest.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
        if verb == "COPY":
            *sources, target = rest.split()
            to = image / target.lstrip("/") if target.startswith("/") else folder / target
            for pattern in sources:
                found = sorted(_FILES[name].glob(pattern))
                assert found, f"{name}/Dockerfile copies {pattern}, which is not there"
                for path in found:
                    if path.is_dir():
                        shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
                    else:
                        to.mkdir(parents=True, exist_ok=True)
                        shutil.copy(path, to)
    return folder


def entry_point(name: str) -> list[str]:
    command: list[str] = json.loads(dict(instructions(name))["ENTRYPOINT"])
    return command


def test_the_workers_image_does_a_job(tmp_path: Path) -> None:
    built("worker", tmp_path)
    _, *arguments = entry_point("worker")
    script = tmp_path / arguments[-1].lstrip("/")
    server = ReportServer()
    environment = {
        "PATH": "/usr/bin:/bin",
        "MESSAGE": "",
        "CONTAINER_NAME": "job-1-1",
        "MAYFLY_JOB_ID": "job-1",
        "MAYFLY_ATTEMPT": "1",
        "MAYFLY_REPORT_URL": server.url,
        "MAYFLY_REPORT_TOKEN": TOKEN,
    }
    try:
        # As a group's command replaces the entry point: see WORKER_COMMAND in mayfly/containers/aci/runtime.py.
        command = [sys.executable, *arguments[:-1], str(script), "--", "sh", "-c", 'echo "::result 7"']
        ended = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, check=False, timeout=HANG_GUARD_S
        )
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert server.the_end()["result"] == 7
    finally:
        server.close()


def test_a_group_starts_what_the_workers_image_holds() -> None:
    from mayfly.containers.aci.runtime import WORKER_COMMAND

    assert list(WORKER_COMMAND) == entry_point("worker")


_IMPORTS_ALL = """
import importlib, json, pkgutil, sys
# Only what was copied and what is installed: no editable installation of this repository.
sys.path.remove(sys.argv[2])
import streamlit_dashboard
assert streamlit_dashboard.__file__.startswith(sys.argv[1]), streamlit_dashboard.__file__
for one in pkgutil.walk_packages(streamlit_dashboard.__path__, "streamlit_dashboard."):
    if not one.name.endswith(("__main__", ".app")) and ".screens." not in one.name:
        importlib.import_module(one.name)
print(json.dumps(sorted(name for name, one in sys.modules.items() if one is not None)))
"""


def test_the_dashboards_image_holds_all_that_it_imports(tmp_path: Path) -> None:
    folder = built("streamlit_dashboard", tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORTS_ALL, str(folder), str(ROOT)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_GUARD_S,
    )
    assert ran.returncode == 0, ran.stderr
    assert (folder / "streamlit_dashboard" / "app.py").exists()
    imported: list[str] = json.loads(ran.stdout)
    for own in ("orchestrations", "triggers", "local_host", "worker"):
        assert own not in imported, f"{own} is not copied"
    installed = {pin.name for pin in pins("streamlit_dashboard/requirements.txt")}
    known = owners()
    assert [name for name in imported if name in known and not known[name] & installed] == []


@pytest.mark.parametrize("path", ["local.settings.json", ".mayfly/report.key", ".venv/bin/python", "tests/conftest.py"])
def test_what_no_image_needs_is_not_sent_to_the_registry(path: str) -> None:
    """`az acr build` uploads the folder; the last pattern that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.lstrip("!")
            if fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/"):
                sent = line.startswith("!")
    assert not sent
