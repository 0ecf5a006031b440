"""The keys, the levels that each one opens, and their file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_host.errors import StartupError
from local_host.web.http_messages import request_to
from local_host.web.keys import ADMIN, ANONYMOUS, FUNCTION, Keys

CONTENT = {
    "master": "m",
    "host": {"default": "d", "second": "s"},
    "system": {"durabletask_extension": "e"},
    "functions": {"one": {"label": "o"}},
}


def allowed(key: str, level: str, function: str | None = None) -> bool:
    request = request_to("GET", f"http://h/?code={key}", path="/", body=b"")
    return Keys(CONTENT).allow(level, request, function=function)


def test_each_key_allows_its_own_level() -> None:
    assert [key for key in "mdseo" if allowed(key, ADMIN)] == ["m"]
    assert [key for key in "mdseo" if allowed(key, FUNCTION)] == ["m", "d", "s"]
    assert [key for key in "mdseo" if allowed(key, FUNCTION, "one")] == ["m", "d", "s", "o"]
    assert [key for key in "mdseo" if allowed(key, FUNCTION, "two")] == ["m", "d", "s"]
    assert allowed("", ANONYMOUS)
    assert not allowed("", FUNCTION)


def test_the_management_api_requires_the_master_or_the_system_key() -> None:
    keys = Keys(CONTENT)
    requests = {key: request_to("GET", f"http://h/?code={key}", path="/", body=b"") for key in "mdseo"}
    assert [key for key, request in requests.items() if keys.allow_management(request)] == ["m", "e"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({**CONTENT, "host": []})])
def test_a_file_that_holds_no_keys_is_named_with_the_fix(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(StartupError, match=r"keys\.json .*Delete it to create new ones"):
        Keys.load_or_create(path)
