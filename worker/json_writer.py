"""Write the few shapes of a report as JSON: importing `json` takes longer than everything else a report needs."""

from __future__ import annotations

_ESCAPES = {number: f"\\u{number:04x}" for number in range(0x20)}
_ESCAPES.update({ord('"'): '\\"', ord("\\"): "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"})


class JsonText:
    """Text that is already JSON and is written unchanged."""

    def __init__(self, text: str) -> None:
        self.text = text


def to_json(value: object) -> str:
    """Write `value` as JSON.

    Shapes: a string, a finite number, None, a `JsonText`, or a dict of these with string keys.
    Errors: TypeError for any other type.

    >>> to_json({"a": 'say "hi"', "b": None, "c": 0.5, "d": JsonText("[1]")})
    '{"a":"say \\\\"hi\\\\"","b":null,"c":0.5,"d":[1]}'
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return '"' + value.translate(_ESCAPES) + '"'
    if isinstance(value, JsonText):
        return value.text
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    if not isinstance(value, dict):
        raise TypeError(f"cannot write {type(value).__name__} as JSON")
    return "{" + ",".join(to_json(key) + ":" + to_json(item) for key, item in value.items()) + "}"
