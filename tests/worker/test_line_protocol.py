"""Lines for Mayfly are found in output of any kind, however it is split into pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.line_protocol import LineProtocol, parse_progress

LINES = st.lists(
    st.one_of(
        st.sampled_from([b"::progress 0.5 half", b"::result 1", b"::result {", b":::result 1", b"", b"::", b":", b"x"]),
        st.binary(max_size=20).map(lambda data: data.replace(b"\n", b" ")),
    ),
    max_size=12,
)


def found_in(pieces: list[bytes]) -> tuple[list[tuple[float | None, str]], str]:
    progress: list[tuple[float | None, str]] = []
    protocol = LineProtocol(lambda fraction, message: progress.append((fraction, message)))
    for piece in pieces:
        protocol.feed(piece)
    protocol.close()
    try:
        return progress, protocol.result()
    except ValueError as error:
        return progress, str(error)


@given(lines=LINES, cuts=st.lists(st.integers(0, 200), max_size=10))
def test_how_output_is_cut_into_pieces_changes_nothing(lines: list[bytes], cuts: list[int]) -> None:
    output = b"\n".join(lines)
    edges = [0, *sorted(min(cut, len(output)) for cut in cuts), len(output)]
    pieces = [output[start:end] for start, end in pairwise(edges)]
    expected = [parse_progress("0.5 half") for line in lines if line == b"::progress 0.5 half"]
    progress, result = found_in(pieces)
    assert (progress, result) == found_in([output])
    assert progress == expected or any(b"::progress" in line and line != b"::progress 0.5 half" for line in lines)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("0.4 resizing", (0.4, "resizing")),
        ("1 done", (1.0, "done")),
        (".5", (0.5, "")),
        ("resizing 0.4", (None, "resizing 0.4")),
        ("40 files", (None, "40 files")),
        ("nan x", (None, "nan x")),
        ("-0.1 x", (None, "-0.1 x")),
        ("inf", (None, "inf")),
        ("", (None, "")),
    ],
)
def test_a_fraction_is_a_number_from_0_to_1(text: str, parsed: tuple[float | None, str]) -> None:
    assert parse_progress(text) == parsed


def test_an_unfinished_protocol_line_stays_small() -> None:
    protocol = LineProtocol(lambda _fraction, _message: None)
    protocol.feed(b"::result [")
    for _ in range(100):
        protocol.feed(b"1," * 10_000)
    assert len(protocol._unfinished) < 100_000
    protocol.feed(b"1]\n::result 2\n")
    assert protocol.result() == "2"
