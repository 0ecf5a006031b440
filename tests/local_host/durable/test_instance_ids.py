"""Which instance ids are accepted."""

from __future__ import annotations

import pytest

from local_host.durable.instance_ids import validate_instance_id
from local_host.errors import BadInstanceId


@pytest.mark.parametrize("instance_id", ["a", "x" * 100, "a b:c@d", "ü"])
def test_a_valid_id_is_accepted(instance_id: str) -> None:
    validate_instance_id(instance_id)


@pytest.mark.parametrize(
    ("instance_id", "text"),
    [
        ("x" * 101, r"at most 100 characters \(got 101\)"),
        ("@counter@a", "must not start with '@'"),
        ("a/b", r"must not contain \['/'\] \(got 'a/b'\)"),
        ("a\n#", r"must not contain \['\\n', '#'\]"),
        ("a\x7f", "must not contain"),
    ],
)
def test_an_invalid_id_is_explained(instance_id: str, text: str) -> None:
    with pytest.raises(BadInstanceId, match=text):
        validate_instance_id(instance_id)
