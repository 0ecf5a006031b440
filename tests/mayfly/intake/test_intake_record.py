"""A rejected message is stored by the names of its fields."""

from __future__ import annotations

from mayfly.intake.intake_record import from_document, to_document
from tests.contracts.intake_record import REJECTED


def test_a_document_reads_back_as_the_same_message_whatever_the_store_adds() -> None:
    assert from_document({**to_document(REJECTED), "id": "digest", "_etag": "7"}) == REJECTED


def test_the_names_and_the_time_are_those_of_stored_documents() -> None:
    assert to_document(REJECTED) == {
        "queue": "jobs",
        "message_id": "order/17?\n",
        "at": "2026-01-31T12:00:00.000000+00:00",
        "reason": "body: é",
        "body_bytes": 3,
        "body_sha256": "0" * 64,
    }
