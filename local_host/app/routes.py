"""Which route matches a path? Route templates as in ASP.NET Core.

A segment is a literal (case-insensitive), a parameter `{id}`, an optional parameter `{id?}`, a parameter with a default
`{id=1}`, a constrained parameter `{id:int}`, or a catch-all `{*rest}` at the end. The most specific route wins, segment
by segment: literal, then constrained, then unconstrained, then catch-all.

Source: learn.microsoft.com/aspnet/core/fundamentals/routing (route templates, constraints, precedence).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from local_host.errors import HostError


class BadRoute(HostError):
    """The route template is invalid, or this host does not support it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A compiled template.

    Shapes: `weight` orders routes; the lowest is tried first.
    """

    template: str
    weight: tuple[int, ...]
    _segments: tuple[_Segment, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Match a path and return its parameters, or `None` if it does not match.

        Shapes: `path` is decoded and has no slash at either end. Absent optional parameters are omitted.
        """
        return _match(self._segments, path.split("/") if path else [])


def compile_route(template: str) -> Route:
    """Compile a template.

    >>> compile_route("jobs/{id:int}/events").match("jobs/7/EVENTS")
    {'id': '7'}

    Errors: `BadRoute`, naming the segment.
    """
    texts = [text for text in template.strip("/").split("/") if text]
    segments = tuple(_segment(text, is_last=i == len(texts) - 1) for i, text in enumerate(texts))
    return Route(template=template, weight=tuple(s.weight for s in segments), _segments=segments)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Segment:
    pattern: re.Pattern[str]
    weight: int
    name: str | None = None
    checks: tuple[Callable[[str], bool], ...] = ()
    default: str | None = None
    is_optional: bool = False
    is_catch_all: bool = False


def _segment(text: str, *, is_last: bool) -> _Segment:
    if "{" not in text:
        return _Segment(pattern=re.compile(re.escape(text), re.IGNORECASE), weight=1)
    whole = re.fullmatch(r"\{(\*{0,2})([A-Za-z_][\w-]*)((?::[^=?{}]+(?:\{[^{}]*\})?)*)(\?|=[^{}]*)?\}", text)
    if whole is None:
        return _mixed(text)
    stars, name, constraints, tail = whole.groups()
    if stars and not is_last:
        raise BadRoute(f"catch-all '{text}' must be the last segment of the route")
    checks = tuple(_check(c, text) for c in constraints.split(":") if c)
    default = tail[1:] if tail and tail.startswith("=") else None
    weight = (4 if checks else 5) if stars else (2 if checks else 3)
    return _Segment(
        pattern=re.compile(".*" if stars else "[^/]+", re.DOTALL),
        weight=weight,
        name=name,
        checks=checks,
        default=default,
        is_optional=tail == "?" or default is not None,
        is_catch_all=bool(stars),
    )


def _mixed(text: str) -> _Segment:
    """Compile a segment of literals and plain parameters, such as `{name}.{ext}`."""
    parts = re.split(r"(\{[A-Za-z_][\w-]*\})", text)
    if any(("{" in part or "}" in part) != (i % 2 == 1) for i, part in enumerate(parts)):
        raise BadRoute(f"route segment '{text}' is not a literal, {{name}}, {{name:constraint}} or {{*name}}")
    pattern = "".join(
        f"(?P<{part[1:-1].replace('-', '_')}>[^/]+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    return _Segment(pattern=re.compile(pattern, re.IGNORECASE), weight=2)


def _match(segments: tuple[_Segment, ...], parts: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for i, segment in enumerate(segments):
        if segment.is_catch_all:
            rest = "/".join(parts[i:])
            if rest or segment.default is not None:
                found[segment.name or ""] = rest or segment.default or ""
            return found if not rest or all(check(rest) for check in segment.checks) else None
        if i >= len(parts):
            if not segment.is_optional:
                return None
            if segment.default is not None and segment.name:
                found[segment.name] = segment.default
            continue
        match = segment.pattern.fullmatch(parts[i])
        if match is None or not all(check(parts[i]) for check in segment.checks):
            return None
        found.update(match.groupdict())
        if segment.name:
            found[segment.name] = parts[i]
    return found if len(parts) <= len(segments) else None


def _check(constraint: str, segment: str) -> Callable[[str], bool]:
    name, _, rest = constraint.partition("(")
    argument = rest.removesuffix(")")
    pattern = _PATTERNS.get(name)
    if pattern is not None and not rest:
        return lambda text: re.fullmatch(pattern, text) is not None
    numbers = [int(n) for n in argument.split(",") if re.fullmatch(r"-?\d+", n.strip())]
    match name, numbers:
        case "regex", _ if argument:
            # Templates double square brackets to escape them.
            regex = re.compile(argument.replace("[[", "[").replace("]]", "]"), re.IGNORECASE)
            return lambda text: regex.search(text) is not None
        case "length", [size]:
            return lambda text: len(text) == size
        case "length", [low, high]:
            return lambda text: low <= len(text) <= high
        case "minlength", [low]:
            return lambda text: len(text) >= low
        case "maxlength", [high]:
            return lambda text: len(text) <= high
        case "min", [low]:
            return lambda text: _whole(text) is not None and (_whole(text) or 0) >= low
        case "max", [high]:
            return lambda text: _whole(text) is not None and (_whole(text) or 0) <= high
        case "range", [low, high]:
            return lambda text: _whole(text) is not None and low <= (_whole(text) or 0) <= high
    raise BadRoute(f"constraint '{constraint}' in route segment '{segment}' is not supported")


_PATTERNS = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "bool": r"(?i:true|false)",
    "alpha": r"[A-Za-z]*",
    "guid": r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?",
    "decimal": r"-?\d+(?:\.\d+)?",
    "double": r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?",
    "float": r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?",
    "datetime": r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[-+]\d{2}:\d{2})?)?",
    "required": r".+",
}


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d+", text) else None
