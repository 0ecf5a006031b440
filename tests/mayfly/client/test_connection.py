from __future__ import annotations

import json
from pathlib import Path

import pytest

from mayfly.client.connection import keys_path, local_key
from mayfly.client.errors import BadRequest


def _write(data: Path, text: str) -> None:
    keys_path(data).parent.mkdir(parents=True)
    keys_path(data).write_text(text, encoding="utf-8")


def test_the_key_is_read_from_the_hosts_own_file(tmp_path: Path) -> None:
    assert local_key(tmp_path) is None
    _write(tmp_path, json.dumps({"master": "m", "host": {"default": "the-key"}}))
    assert local_key(tmp_path) == "the-key"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"host": null}'])
def test_a_file_without_keys_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    _write(tmp_path, text)
    with pytest.raises(BadRequest, match=r"keys\.json does not contain the local host's keys"):
        local_key(tmp_path)
