"""The host and the worker mask the same secrets in the same way, and leave everything else unchanged (I8)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.secrets import masking
from worker.masking import CHARS_MIN, LINE_CHARS_MIN, MASK, Mask

KEY = "-----BEGIN KEY-----\n  MIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
QUOTED = 'pa55"word\\with-é'

CASES = [
    ("a value", "it is hunter2-hunter2.", ["hunter2-hunter2"], "it is ***."),
    ("every occurrence", "hunter2 hunter2", ["hunter2"], "*** ***"),
    ("no secrets", "anything", [], "anything"),
    ("a short value is left alone", "abc", ["abc", ""], "abc"),
    ("a short value is left alone in JSON too", '\\"ab', ['"ab'], '\\"ab'),
    ("escaped as JSON", json.dumps({"it": QUOTED}), [QUOTED], '{"it": "***"}'),
    ("escaped as JSON in UTF-8", json.dumps({"it": QUOTED}, ensure_ascii=False), [QUOTED], '{"it": "***"}'),
    ("control characters in JSON", json.dumps("tab\there\b!"), ["tab\there\b!"], '"***"'),
    ("without the white space around it", "it is hunter2!", ["hunter2\n"], "it is ***!"),
    ("several lines, as they are", f"<{KEY}>", [KEY], "<***>"),
    ("several lines, escaped as JSON", json.dumps(KEY), [KEY], '"***"'),
    ("one of several lines", "found MIIEvQIBADANBgkq here", [KEY], "found *** here"),
    ("several lines, indented", f"  {KEY}".replace("\n", "\n    "), [KEY], "  ***\n      ***\n    ***\n    ***\n    "),
    ("one of several lines, escaped as JSON", '"\\"user\\": \\"ada\\","', ['{\n"user": "ada",\n}'], '"***"'),
    ("a short line is left alone", "seven77", ["seven77\neight888"], "seven77"),
    ("one secret within another", "x abcdefgh abcd y", ["abcd", "abcdefgh"], "x *** *** y"),
    ("secrets that overlap", "abcdefgh", ["abcd", "cdefgh"], "***efgh"),
    ("the mask itself", "a*** and ***", ["a***"], "*** and ***"),
]


def by_the_host(text: str, values: Sequence[str]) -> str:
    return masking.masked(text, values)


def by_the_worker(text: str, values: Sequence[str]) -> str:
    return Mask(values).text(text)


def by_the_worker_byte_by_byte(text: str, values: Sequence[str]) -> str:
    mask = Mask(values)
    return b"".join([*(mask.feed(bytes([byte])) for byte in text.encode()), mask.flush()]).decode()


MASKERS = [by_the_host, by_the_worker, by_the_worker_byte_by_byte]


@pytest.mark.parametrize("masked", MASKERS)
@pytest.mark.parametrize(("text", "values", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_host_and_worker_mask_the_same(
    masked: Callable[[str, Sequence[str]], str], text: str, values: list[str], expected: str
) -> None:
    assert masked(text, values) == expected


def test_host_and_worker_share_their_limits() -> None:
    assert (masking.MASK.encode(), masking.CHARS_MIN, masking.LINE_CHARS_MIN) == (MASK, CHARS_MIN, LINE_CHARS_MIN)


SECRETS = st.lists(st.text('ab"\\é\n\b *', max_size=12), max_size=4)


@given(st.data())
def test_host_and_worker_agree_on_any_output(data: st.DataObject) -> None:
    values = data.draw(SECRETS)
    pieces = [
        *values,
        *(json.dumps(value) for value in values),
        *(line for value in values for line in value.splitlines()),
        "",
    ]
    text = "".join(data.draw(st.lists(st.sampled_from(pieces) | st.text('ab"\\é\n *', max_size=6), max_size=8)))
    expected = by_the_host(text, values)
    assert by_the_worker(text, values) == expected
    assert by_the_worker_byte_by_byte(text, values) == expected
