"""Names of jobs and groups: stable, distinct, and within the platform's limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.jobs.names import FRIENDLY_NAMES, attempt_ended_event, group_name, is_job_id, job_id_for

_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,10}(-[a-z0-9]{1,11})?", fullmatch=True)


@given(st.binary(), st.none() | _NAMES)
def test_every_derived_id_has_the_form_of_an_id(seed: bytes, name: str | None) -> None:
    job_id = job_id_for(seed=seed, name=name)
    assert is_job_id(job_id)
    assert job_id == job_id_for(seed=seed, name=name)
    assert job_id.rpartition("-")[0] in ([name] if name else FRIENDLY_NAMES)


def test_different_seeds_give_different_ids_of_all_friendly_names() -> None:
    ids = {job_id_for(seed=str(number).encode()) for number in range(1_000)}
    assert len(ids) == 1_000
    assert {job_id.partition("-")[0] for job_id in ids} == set(FRIENDLY_NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada-abc",
        "ada-abcdefghi1",
        "ada-ABCDEFGHIJ",
        "Ada-abcdefghij",
        "1ada-abcdefghij",
        "ada--abcdefghij",
        "-abcdefghij",
        "ada-abcdefghij\n",
        "ada-abcdefghij/x",
        "a" * 25 + "-abcdefghij",
    ],
)
def test_other_texts_are_not_ids(text: str) -> None:
    assert not is_job_id(text)


def test_the_longest_group_name_is_accepted_by_azure() -> None:
    """Source: container-instances-troubleshooting, 1 to 63 characters. The longest region has 23."""
    job_id = job_id_for(seed=b"", name="a" * 24)
    assert is_job_id(job_id)
    assert re.fullmatch(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", group_name(job_id, attempt=20, place="germanywestcentral")
    )


def test_groups_of_other_attempts_and_places_have_other_names() -> None:
    names = {
        group_name("ada-abcdefghij", attempt=attempt, place=place)
        for attempt in (1, 2, 11)
        for place in ("westeurope", "westeurope-spot")
    }
    assert len(names) == 6


def test_each_attempt_has_its_own_event() -> None:
    assert len({attempt_ended_event(attempt) for attempt in range(1, 21)}) == 20
