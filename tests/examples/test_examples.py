"""The examples, run as a reader would run them; for the image, everything but the image itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mayfly.use_cases.submit import parse_spec
from tests.examples.conftest import LiveApi
from tests.repository.test_dockerfiles import entry_point

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_the_python_example_submits_a_job_and_prints_its_result(live_api: LiveApi) -> None:
    ran = subprocess.run(
        [sys.executable, EXAMPLES / "python" / "submit.py"],
        env={**os.environ, **live_api.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.fullmatch(r"submitted (sum-\w+|\w+-\w{10})\nsucceeded: \{'sum': 55\}\n", ran.stdout), ran.stdout


def test_the_python_example_shows_why_a_request_was_rejected(live_api: LiveApi, tmp_path: Path) -> None:
    script = (EXAMPLES / "python" / "submit.py").read_text(encoding="utf-8")
    assert '"run_timeout_s": 300' in script
    broken = tmp_path / "broken.py"
    broken.write_text(script.replace('"run_timeout_s": 300', '"run_timeout_s": 0'), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, broken],
        env={**os.environ, **live_api.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "run_timeout_s" in ran.stderr


def _workflow_script() -> str:
    """Return the only `run` block of the workflow."""
    text = (EXAMPLES / "github-action" / "submit-job.yml").read_text(encoding="utf-8")
    (block,) = re.findall(r"^ +run: \|\n((?: {10}.*\n|\n)+)", text, re.MULTILINE)
    return textwrap.dedent(block)


def _run_workflow(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    missing = [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"the workflow's script needs {', '.join(missing)}")
    given = {**os.environ, "MESSAGE": "hello", "IDEMPOTENCY_KEY": "run-1", **environment}
    return subprocess.run(["bash", "-c", _workflow_script()], env=given, capture_output=True, text=True, check=False)


def test_the_workflow_runs_a_job(live_api: LiveApi) -> None:
    ran = _run_workflow(live_api.environment())
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].endswith(" succeeded")
    assert live_api.key not in ran.stdout + ran.stderr


def test_the_workflow_fails_when_the_job_is_not_accepted(live_api: LiveApi) -> None:
    ran = _run_workflow({**live_api.environment(), "MAYFLY_KEY": "wrong"})
    assert ran.returncode != 0
    assert "401" in ran.stderr


def test_the_image_starts_the_worker_as_the_workers_own_image_does() -> None:
    dockerfile = (EXAMPLES / "own-image" / "Dockerfile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.MULTILINE)
    started: list[str] = json.loads(line)
    assert started[1:] == entry_point("worker")[1:]
    for source in re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE):
        assert (EXAMPLES / "own-image" / source).is_file(), source


def test_the_spec_for_the_image_is_valid_and_goes_through_the_worker() -> None:
    page = (EXAMPLES / "own-image" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    command = parse_spec(json.loads(example)).command
    assert command is not None
    assert [*command[1:4]] == entry_point("worker")[1:]


def test_the_script_of_the_image_reports_progress_and_a_result(tmp_path: Path) -> None:
    """With a `convert` and an `identify` that only record how they were called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in (("convert", 'echo "$@" >> calls'), ("identify", "printf 320x240")):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    ran = subprocess.run(
        [EXAMPLES / "own-image" / "resize.sh"],
        cwd=tmp_path,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "SIZE": "320"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[1] == "::progress 0.5 resizing to 320"
    assert json.loads(lines[-1].removeprefix("::result ")) == {"size": "320x240"}
    assert (tmp_path / "calls").read_text().splitlines()[1] == "picture.png -resize 320x320 small.png"
