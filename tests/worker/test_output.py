"""The worker's output is relayed unchanged, and its end is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.output import CUT, TAIL_CHARS_MAX, Output, decode_tail


@given(st.text(min_size=1, max_size=40), st.integers(0, 200))
def test_a_tail_never_begins_within_a_character(text: str, cut: int) -> None:
    data = text.encode("utf-8", "replace")
    tail = decode_tail(data[cut:])
    assert text.encode("utf-8", "replace").decode().endswith(tail)
    assert len(tail) <= TAIL_CHARS_MAX


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def written(log: Path, *pieces: bytes, log_bytes_max: int = 0) -> Output:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        output = Output(log_bytes_max=log_bytes_max, descriptor=descriptor)
        for piece in pieces:
            output.write(piece)
    finally:
        os.close(descriptor)
    return output


def test_everything_is_relayed_and_the_end_is_kept(log: Path) -> None:
    output = written(log, b"one\n", b"two\xff\n")
    assert log.read_bytes() == b"one\ntwo\xff\n"
    assert output.tail() == "one\ntwo\ufffd\n"


def test_only_the_end_of_a_long_output_is_kept(log: Path) -> None:
    output = written(log, *[b"0123456789" * 1_000] * 100)
    assert log.stat().st_size == 1_000_000
    assert output.tail() == "0123456789" * (TAIL_CHARS_MAX // 10)
    assert len(output._kept) < 300_000


def test_a_file_is_cut_when_it_grows_past_its_limit(log: Path) -> None:
    log.write_bytes(b"x" * 900)
    written(log, b"first\n", b"y" * 100, b"last\n", log_bytes_max=1_000)
    assert log.read_bytes() == CUT + b"first\n" + b"y" * 100 + b"last\n"


def test_a_pipe_is_never_cut() -> None:
    reader, writer = os.pipe()
    try:
        Output(log_bytes_max=1, descriptor=writer).write(b"more than one byte")
        assert os.read(reader, 100) == b"more than one byte"
    finally:
        os.close(reader)
        os.close(writer)


def test_a_descriptor_that_stops_accepting_output_does_not_stop_the_work() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        output = Output(descriptor=writer)
        output.write(b"lost, ")
        output.write(b"but kept")
        assert output.tail() == "lost, but kept"
    finally:
        os.close(writer)
