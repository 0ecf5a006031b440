"""JSON schemas of the types in the HTTP API. The docstrings of their fields become descriptions."""

import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

REFERENCE = "#/components/schemas/"
_INVARIANTS = re.compile(r" \(I\d+(, I\d+)*\)")

Schema = dict[str, Any]


class Schemas:
    """The schemas of all request and response bodies.

    Shapes: `requests` and `responses` map a type to its schema; both refer to `components`, by name. If a response
    writes a type differently from how a request reads it, its name ends in `Output`.
    """

    def __init__(self, *, requests: Iterable[Any], responses: Iterable[Any]) -> None:
        inputs = [*_inputs(requests, "validation"), *_inputs(responses, "serialization")]
        template = f"{REFERENCE}{{model}}"
        found, rest = TypeAdapter.json_schemas(inputs, ref_template=template, schema_generator=_Generator)
        shapes = [schema["items"] for schema in found.values()]
        # Only readers of the code know the invariants, whose numbers are in docstrings.
        text = _INVARIANTS.sub("", json.dumps([shapes, rest.get("$defs", {})]))
        # If the two forms of a type differ, pydantic names them NAME-Input and NAME-Output.
        shapes, self.components = json.loads(text.replace('-Input"', '"').replace('-Output"', 'Output"'))
        by_key = dict(zip(found, shapes, strict=True))
        self.requests = {shape: schema for (shape, mode), schema in by_key.items() if mode == "validation"}
        self.responses = {shape: schema for (shape, mode), schema in by_key.items() if mode == "serialization"}


class _Generator(GenerateJsonSchema):
    def field_is_required(self, field: Any, total: bool) -> bool:
        """A response has every field; only a typed dictionary may omit some."""
        if self.mode == "serialization" and field["type"] != "typed-dict-field":
            return True
        return super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - an override
        """Omit titles, which repeat the names."""
        return False

    def dict_schema(self, schema: Any) -> Schema:
        """Reject names that do not match the pattern of the keys."""
        described = super().dict_schema(schema)
        return {**described, "additionalProperties": False} if "patternProperties" in described else described

    def tuple_schema(self, schema: Any) -> Schema:
        """Give a tuple `items`, which Spectral requires of every array; `maxItems` excludes further ones."""
        described = super().tuple_schema(schema)
        return {"items": {}, **described} if "prefixItems" in described else described


def _inputs(shapes: Iterable[Any], mode: JsonSchemaMode) -> list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]]:
    """Return lists of the types, because a dataclass without a configuration takes that of the list around it."""
    described = ConfigDict(use_attribute_docstrings=True)
    return [(shape, mode, TypeAdapter(list[shape], config=described)) for shape in shapes]  # type: ignore[valid-type]
