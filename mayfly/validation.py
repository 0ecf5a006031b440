"""Turn untrusted JSON into our own types, and every mistake into a message that names the value and the fix."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mayfly.errors import FieldError, Rejected
from mayfly.wording.text import printable as printable  # part of this module as well

BODY_BYTES_MAX = 262_144
"""Limit of a request body: four times the largest spec, or report with the tail of its output."""
JSON_DEPTH_MAX = 100
"""Levels of arrays and objects in a body, so that everything accepted can be stored and read again.

Source: the limits of the readers: 128 levels in Cosmos DB (concepts-limits), 200 in pydantic's parser.
"""
_SHOWN_CHARS_MAX = 60
_TYPES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "an object",
    "tuple_type": "an array",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_unicode": "text without lone surrogates",
}

Model = TypeVar("Model", bound=BaseModel)


def parse_object(body: bytes, *, content_type: str | None) -> dict[str, Any]:
    """Return the JSON object in a request body.

    Errors: `Rejected`: 415 for another media type, 413 for a body over `BODY_BYTES_MAX`, 400 for a body that is not a
    JSON object or cannot be stored unchanged: a duplicate key, a lone surrogate, an infinite number, too many levels.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        message = f"must be application/json (got {media_type or 'none'!r})"
        raise Rejected.of_field("unsupported media type", "header.Content-Type", message, status=415)
    if len(body) > BODY_BYTES_MAX:
        message = f"must be at most {BODY_BYTES_MAX} bytes (got {len(body)})"
        raise Rejected.of_field("request body too large", "body", message, status=413)
    try:
        value = _parsed(body)
    except ValueError as problem:
        message = f"must be JSON in UTF-8: {printable(str(problem), 200)}"
        raise Rejected.of_field("invalid JSON", "body", message, status=400) from problem
    if not isinstance(value, dict):
        raise Rejected.of_field("not a JSON object", "body", f"must be a JSON object (got {shown(value)})", status=400)
    return value


def validated(model: type[Model], document: Mapping[str, Any], *, title: str) -> Model:
    """Return the document as a model. Errors: `Rejected` (422), with a `FieldError` for each mistake."""
    try:
        return model.model_validate(document)
    except ValidationError as problem:
        raise Rejected(title, field_errors(model, problem)) from problem


def field_errors(model: type[BaseModel], problem: ValidationError) -> list[FieldError]:
    """Return each mistake in our words: the field, the rule, and the value."""
    errors = []
    for mistake in problem.errors(include_url=False):
        path = [str(part) for part in mistake["loc"]]
        key_is_wrong = bool(path) and path[-1] == "[key]"
        field = ".".join(path[:-1] if key_is_wrong else path) or "body"
        message = f"{'its name ' if key_is_wrong else ''}{_message(model, mistake, field)}"
        errors.append(FieldError(field=printable(field, 120), message=message))
    return errors


def shown(value: object) -> str:
    """Return a value for use in an error message: JSON, without control characters, and short.

    >>> shown("a\\nb"), shown(64), shown("x" * 100)
    ('"a\\\\nb"', '64', '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…')
    """
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = f"a {type(value).__name__}"
    return printable(text, _SHOWN_CHARS_MAX)


def suggestion(name: str, known: Sequence[str]) -> str:
    """Return a question about a similar name, or all known names.

    >>> suggestion("comand", ["command", "message"]), suggestion("x", ["command", "message"])
    ('did you mean `command`?', 'expected one of command, message')
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"expected one of {', '.join(sorted(known))}"


def _message(model: type[BaseModel], mistake: Any, field: str) -> str:
    kind, context, value = mistake["type"], mistake.get("ctx", {}), mistake.get("input")
    got = f"(got {shown(value)})"
    match kind:
        case "extra_forbidden":
            *path, name = field.split(".")
            owner = _owner(model, path)
            known = [info.alias or one for one, info in owner.model_fields.items()] if owner else []
            return f"unknown field; {suggestion(name, known)}"
        case "missing":
            return "is required"
        case "greater_than_equal" | "less_than_equal":
            return f"must be {_range(model, field, context)} {got}"
        case "string_pattern_mismatch":
            return f"must match {context['pattern']} {got}"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters (got {len(value)})"
        case "string_too_short":
            return f"must have at least {context['min_length']} characters (got {len(value)})"
        case "too_long":
            return f"must have at most {context['max_length']} entries {got}"
        case "too_short":
            return f"must have at least {context['min_length']} entries {got}"
        case "literal_error":
            return f"must be one of {context['expected']} {got}"
        case "value_error":
            return str(context["error"])
        case "finite_number":
            return "must be a finite number"
        case _:
            expected = _TYPES.get(kind)
            return f"must be {expected} {got}" if expected else f"{str(mistake['msg']).lower()} {got}"


def _range(model: type[BaseModel], field: str, context: Mapping[str, Any]) -> str:
    """Return both ends of a number's range, even though the mistake names only one."""
    low, high = context.get("ge"), context.get("le")
    for bound in _bounds(model, field):
        low = getattr(bound, "ge", low)
        high = getattr(bound, "le", high)
    if low is not None and high is not None:
        return f"between {_plain(low)} and {_plain(high)}"
    return f"at least {_plain(low)}" if low is not None else f"at most {_plain(high)}"


def _plain(number: Any) -> str:
    """Return a bound without an exponent.

    >>> _plain(0.1), _plain(2_678_400), _plain(1e12)
    ('0.1', '2678400', '1000000000000')
    """
    return f"{number:.15g}"


def _bounds(model: type[BaseModel], field: str) -> Sequence[Any]:
    """Return the constraints of a field, or of the entries of its list."""
    path = [part for part in field.split(".") if not part.isdecimal()]
    owner = _owner(model, path[:-1])
    info = owner.model_fields.get(path[-1]) if owner else None
    if info is None:
        return ()
    return [*info.metadata, *(bound for one in _annotations(info.annotation) for bound in one.metadata)]


def _owner(model: type[BaseModel], path: Sequence[str]) -> type[BaseModel] | None:
    """Follow a path from model to model, through fields of the type `Model` or `Model | None`."""
    owner: type[BaseModel] | None = model
    for part in path:
        info = owner.model_fields.get(part) if owner else None
        kinds = (info.annotation, *get_args(info.annotation)) if info else ()
        owner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return owner


def _annotations(annotation: Any) -> list[Any]:
    """Return each `Field(...)` inside `Annotated[int, Field(...)] | None`, or inside a tuple of them."""
    if get_origin(annotation) is Annotated:
        return list(get_args(annotation)[1:])
    return [one for inner in get_args(annotation) for one in _annotations(inner)]


def _parsed(body: bytes) -> Any:
    """Return the JSON value of a body. Errors: ValueError, with the reason."""
    too_deep = f"it is nested deeper than {JSON_DEPTH_MAX} levels"
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_repetition,
        )
    except RecursionError as problem:
        raise ValueError(too_deep) from problem
    if _depth(value) > JSON_DEPTH_MAX:
        raise ValueError(too_deep)
    if b"\\u" in body:  # half of a surrogate pair can pass the decoding above only as an escape
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as problem:
            raise ValueError("it contains a lone surrogate, which is not a character") from problem
    return value


def _depth(value: Any) -> int:
    """Count the levels of arrays and objects, without recursion.

    >>> _depth(1), _depth([]), _depth({"a": [1, {}]})
    (0, 1, 3)
    """
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {printable(text, 40)} is out of range")
    return number


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {shown(name)} occurs twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
