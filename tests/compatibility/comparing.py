"""Compare values of the current code with recorded ones: every recorded field still exists, with the same value.

New fields may be added. Sentences that the fold composes may be reworded; everything that an event holds must not
change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDED = "<a sentence>"
"""Replaces sentences that the fold composes for people."""


def assert_holds(recorded: Any, found: Any, path: str = "") -> None:
    """Assert that everything recorded is found, at the same place."""
    if isinstance(recorded, Mapping):
        assert isinstance(found, Mapping), f"{path} was an object and is {found!r}"
        for name, value in recorded.items():
            assert name in found, f"{path}.{name} is not there any more (there are {', '.join(found)})"
            assert_holds(value, found[name], f"{path}.{name}")
    elif isinstance(recorded, list):
        assert isinstance(found, list), f"{path} was a list and is {found!r}"
        assert len(found) == len(recorded), f"{path} had {len(recorded)} entries and has {len(found)}"
        for number, (one, other) in enumerate(zip(recorded, found, strict=True)):
            assert_holds(one, other, f"{path}[{number}]")
    else:
        assert found == recorded, f"{path} was {recorded!r} and is {found!r}"
        assert isinstance(found, bool) == isinstance(recorded, bool), f"{path} was {recorded!r} and is {found!r}"


def assert_same_job(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Assert that a job is what it was."""
    assert_holds(_without_wording(recorded), _without_wording(found), str(recorded["job_id"]))


def _without_wording(job: Mapping[str, Any]) -> dict[str, Any]:
    """Replace each sentence that no event holds with a mark.

    An attempt's message is from its worker if the worker reported, and from the fold otherwise. A job that timed out
    has the message of its last attempt.
    """
    attempts = [one if one["reported"] else {**one, "message": _mark(one["message"])} for one in job["attempts"]]
    if job["state"] == "timed_out":
        return {**job, "attempts": attempts, "message": _mark(job["message"])}
    return {**job, "attempts": attempts}


def _mark(sentence: str | None) -> str | None:
    return sentence if not sentence else _WORDED
