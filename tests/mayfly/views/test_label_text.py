"""Label filters as text: every label that can be stored survives the round trip, and mistakes are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.views.label_text import label_text, parse_labels

_NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,8}[A-Za-z0-9])?", fullmatch=True)
_VALUES = st.text(st.characters(exclude_characters="\x7f", min_codepoint=32, exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=4))
def test_any_labels_survive_the_round_trip(labels: dict[str, str]) -> None:
    assert parse_labels(label_text(f"{name}={value}" for name, value in labels.items())) == labels


@pytest.mark.parametrize("text", ["", "team", "=web", "team=web,tier", '"team=web', "team=a\nb=c\n"])
def test_a_text_that_is_not_a_list_of_pairs_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be NAME=VALUE pairs, separated by commas"):
        parse_labels(text)


def test_a_label_can_be_named_only_once() -> None:
    with pytest.raises(ValueError, match="must name each label once"):
        parse_labels("team=web,team=api")
