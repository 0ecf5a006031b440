"""Files of an app's folder that are missing or invalid, and options of host.json that were never read."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_host.app.loading import LoadedApp, ignored_settings, load_app
from local_host.errors import StartupError
from tests.local_host.driving import loaded

APP = "import azure.functions as func\napp = func.FunctionApp()\n"


def test_an_app_needs_no_json_files(tmp_path: Path) -> None:
    app = loaded(tmp_path, APP)
    assert app.host_json == {"version": "2.0"}
    assert app.option("extensions", "http", "routePrefix", default="api") == "api"


@pytest.mark.parametrize(("content", "text"), [("{", "is not valid JSON"), ("[]", r"JSON object \(got list\)")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "host.json").write_text(content)
    with pytest.raises(StartupError, match=rf"host\.json .*{text}"):
        load_app(tmp_path)


def test_only_options_that_were_never_read_are_ignored() -> None:
    host_json = {"version": "2.0", "a": {"b": 1, "c": 2}, "d": {"e": {"f": 3}}}
    app = LoadedApp(directory=Path(), functions=(), host_json=host_json)
    app.option("a", "b")
    assert ignored_settings(app, {}) == ["a.c", "d"]
    assert ignored_settings(app, {"WEBSITE_TIME_ZONE": "x"})[2:] == ["WEBSITE_TIME_ZONE (schedules run in UTC)"]
