"""The OpenAPI document passes Redocly's recommended rules and Spectral's `oas` rules without a warning."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.triggers.function_host import functions
from triggers.openapi import document

LINTERS = Path(__file__).parents[1] / "openapi_linters"
INSTALL = "npm install --prefix tests/openapi_linters --ignore-scripts --no-package-lock --no-audit --no-fund"


@pytest.fixture
def description(tmp_path: Path) -> Path:
    assert functions(), "every module has added its operations"
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document(server="https://mayfly.azurewebsites.net")), encoding="utf-8")
    return path


def _lint(program: str, arguments: Sequence[str]) -> Any:
    """Return what a linter reports as JSON."""
    path = LINTERS / "node_modules" / ".bin" / program
    if not path.exists():
        reason = f"{program} is not installed: run `{INSTALL}`"
        if os.environ.get("MAYFLY_CI") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    ran = subprocess.run(
        [str(path), *arguments], cwd=LINTERS, env={**os.environ, **quiet}, capture_output=True, text=True, check=False
    )
    try:
        found, _ = json.JSONDecoder().raw_decode(ran.stdout)
    except ValueError:
        pytest.fail(f"{program} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")
    return found


def _redocly(path: Path) -> list[str]:
    return [
        f"{one['ruleId']}: {one['message']}"
        for one in _lint("redocly", ["lint", str(path), "--format=json"])["problems"]
    ]


def _spectral(path: Path) -> list[str]:
    arguments = ["lint", str(path), "--ruleset", "spectral.json", "--format", "json", "--fail-severity", "hint"]
    return [f"{one['code']} at {'.'.join(map(str, one['path']))}" for one in _lint("spectral", arguments)]


def test_redocly_reports_nothing(description: Path) -> None:
    assert _redocly(description) == []


def test_spectral_reports_nothing(description: Path) -> None:
    assert _spectral(description) == []


def test_both_linters_report_a_document_that_lacks_what_they_require(description: Path) -> None:
    broken = json.loads(description.read_text(encoding="utf-8"))
    del broken["info"]["license"], broken["paths"]["/api/health"]["get"]["description"]
    description.write_text(json.dumps(broken), encoding="utf-8")
    assert _redocly(description) == ["info-license: Info object should contain `license` field."]
    assert _spectral(description) == ["operation-description at paths./api/health.get"]
