"""Stored jobs: the latest of each, its fields, and pages of them."""

from __future__ import annotations

from mayfly.jobs.job import to_json
from mayfly.views.cursor import cursor_after
from mayfly.views.stored_job import fields_of, latest_of, page_of
from tests.contracts.job_views import job


def test_each_job_is_stored_once_at_its_latest_position() -> None:
    older, latest, other = job(1, position=1), job(1, position=2), job(2)
    assert latest_of([latest, other, older]) == [latest, other]


def test_of_two_jobs_at_the_same_position_the_first_is_stored() -> None:
    first, second = job(1, state="running"), job(1, state="queued")
    assert latest_of([first, second]) == [first]


def test_the_fields_have_the_names_that_are_stored() -> None:
    stored = job(1, state="running", position=3, after_s=0.5)
    assert fields_of(stored) == {
        "job_id": stored.job_id,
        "position": 3,
        "state": "running",
        "name": "",
        "submitted_at": "2026-01-31T12:00:00.500000+00:00",
        "archived": False,
        "settled": False,
        "document": to_json(stored),
    }


def test_a_page_has_a_cursor_only_if_the_store_found_more() -> None:
    jobs = [job(number) for number in range(3)]
    documents = [to_json(one) for one in jobs]
    page = page_of(documents, 2)
    assert page.jobs == jobs[:2]
    assert page.cursor == cursor_after(jobs[1])
    assert page_of(documents, 3).cursor is None
    assert page_of([], 3).jobs == []
