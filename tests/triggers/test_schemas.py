"""Schemas of small types: which fields are required, what is closed, and what a response names differently."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from triggers.schemas import Schemas


class Size(BaseModel):
    """How large it is."""

    cores: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box, which never leaks (I5)."""

    size: Size
    labels: tuple[str, int]
    """A word and a number (I1, I7)."""
    note: str | None = None


def test_a_response_has_every_field_and_a_request_only_those_without_a_default() -> None:
    schemas = Schemas(requests=[Size], responses=[Box])
    assert schemas.requests[Size] == {"$ref": "#/components/schemas/Size"}
    assert schemas.responses[Box] == {"$ref": "#/components/schemas/Box"}
    assert "required" not in schemas.components["Size"]
    assert schemas.components["Box"]["required"] == ["size", "labels", "note"]


def test_a_type_that_a_response_writes_differently_has_another_name_there() -> None:
    components = Schemas(requests=[Size], responses=[Box]).components
    assert components["SizeOutput"]["required"] == ["cores"]
    assert components["Box"]["properties"]["size"]["$ref"] == "#/components/schemas/SizeOutput"
    assert set(Schemas(requests=[], responses=[Box]).components) == {"Box", "Size"}


def test_docstrings_are_descriptions_without_the_numbers_of_invariants() -> None:
    box = Schemas(requests=[], responses=[Box]).components["Box"]
    assert box["description"] == "A box, which never leaks."
    assert box["properties"]["labels"]["description"] == "A word and a number."
    assert "description" not in box["properties"]["note"]


def test_a_tuple_has_the_number_of_its_items() -> None:
    labels = Schemas(requests=[], responses=[Box]).components["Box"]["properties"]["labels"]
    assert (labels["minItems"], labels["maxItems"], len(labels["prefixItems"])) == (2, 2, 2)
