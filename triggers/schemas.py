"""JSON schemas of the types in the HTTP API. The docstrings of their fields become descriptions."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter
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
        self.requests, read = _generate(requests, "validation")
        self.responses, written = _generate(responses, "serialization")
        for name in [name for name, schema in written.items() if read.get(name, schema) != schema]:
            self.responses = {shape: _renamed(schema, name) for shape, schema in self.responses.items()}
            written = {(f"{one}Output" if one == name else one): _renamed(written[one], name) for one in written}
        self.components = {**read, **written}


class _Generator(GenerateJsonSchema):
    def field_is_required(self, field: Any, total: bool) -> bool:
        """A response has every field; only a typed dictionary may omit some."""
        if self.mode == "serialization" and field["type"] != "typed-dict-field":
            return True
        return super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - an override
        """Omit titles, which repeat the names."""
        return False

    def dataclass_schema(self, schema: Any) -> Schema:
        """Add the descriptions of the fields."""
        described = super().dataclass_schema(schema)
        for name, text in _field_docstrings(schema["cls"]).items():
            described["properties"][name].setdefault("description", text)
        return described

    def dict_schema(self, schema: Any) -> Schema:
        """Reject names that do not match the pattern of the keys."""
        described = super().dict_schema(schema)
        return {**described, "additionalProperties": False} if "patternProperties" in described else described

    def tuple_schema(self, schema: Any) -> Schema:
        """Give a tuple `items`, which Spectral requires of every array; `maxItems` excludes further ones."""
        described = super().tuple_schema(schema)
        return {"items": {}, **described} if "prefixItems" in described else described


def _generate(shapes: Iterable[Any], mode: JsonSchemaMode) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    by_number = dict(enumerate(shapes))
    inputs = [(number, mode, TypeAdapter(shape)) for number, shape in by_number.items()]
    found, rest = TypeAdapter.json_schemas(inputs, ref_template=f"{REFERENCE}{{model}}", schema_generator=_Generator)
    definitions: dict[str, Schema] = rest.get("$defs", {})
    return {shape: found[number, mode] for number, shape in by_number.items()}, _without_invariants(definitions)


def _field_docstrings(kind: type) -> dict[str, str]:
    """Return the string below each field of a class.

    >>> from mayfly.jobs.refusal import Refusal
    >>> _field_docstrings(Refusal)["code"]
    "The platform's own code."
    """
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(getattr(definition, "body", ()))
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _without_invariants(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """Omit the numbers of invariants in docstrings, which only readers of the code know."""
    plain: dict[str, Schema] = json.loads(_INVARIANTS.sub("", json.dumps(schemas)))
    return plain


def _renamed(schema: Schema, name: str) -> Schema:
    """Refer to the `Output` form of a component."""
    renamed: Schema = json.loads(json.dumps(schema).replace(f'"{REFERENCE}{name}"', f'"{REFERENCE}{name}Output"'))
    return renamed
