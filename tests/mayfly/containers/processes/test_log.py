"""The end of a log file: whole characters, and whether anything is missing before them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.containers.processes.log import LOG_CUT, read_tail


@pytest.mark.parametrize(
    ("content", "bytes_max", "text", "truncated"),
    [
        (b"one two", 100, "one two", False),
        (b"one two", 7, "one two", False),
        (b"one two", 3, "two", True),
        ("äöü".encode(), 3, "ü", True),
        ("a😀".encode(), 3, "", True),
        (b"a\xffb", 100, "a�b", False),
        (LOG_CUT + b"late", 1_000, LOG_CUT.decode() + "late", True),
    ],
)
def test_the_tail_starts_at_a_character(
    tmp_path: Path, content: bytes, bytes_max: int, text: str, truncated: bool
) -> None:
    (tmp_path / "log").write_bytes(content)
    tail = read_tail(tmp_path / "log", bytes_max)
    assert (tail.text, tail.truncated) == (text, truncated)


def test_a_missing_file_is_empty(tmp_path: Path) -> None:
    assert read_tail(tmp_path / "none" / "log", 10).text == ""
