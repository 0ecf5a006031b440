"""Find code that makes a test depend on the speed or the load of the machine."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_CLOCKS = frozenset({"time", "monotonic", "perf_counter", "process_time", "monotonic_ns", "perf_counter_ns", "time_ns"})
_LIMITS = frozenset({"timeout", "timeout_s", "default_timeout", "within_s"})
_LEAST = 86_400
"""A limit beyond this, whether in seconds or in milliseconds, bounds nothing that happens in a test."""
_WAITS = frozenset({"wait", "join", "communicate", "timeout", "wait_for", "result"})
"""Calls whose last positional argument may be a limit in seconds."""


def speed_faults(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and fault for each use of real time that could decide how a test ends."""
    tree = ast.parse(source)
    names = _clock_names(tree)
    polling = {id(node) for loop in ast.walk(tree) if isinstance(loop, ast.While) for node in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and (_reads_clock(node, names) or _reads_calendar(node)):
            yield node.lineno, "compares real time: wait for a condition, or give the code a clock"
        elif isinstance(node, ast.Call):
            yield from _call_faults(node, polling=id(node) in polling)


def _call_faults(call: ast.Call, *, polling: bool) -> Iterator[tuple[int, str]]:
    name = _name(call.func)
    limits = [keyword.value for keyword in call.keywords if keyword.arg in _LIMITS]
    if name in _WAITS:
        limits += call.args[-1:]
    if any(_is_short(limit) for limit in limits):
        yield call.lineno, f"has its own time limit in {name}(): use tests/waiting.py"
    slept = call.args[0] if call.args else None
    if _passes_time(call.func) and not polling and not _is_zero(slept):
        yield call.lineno, f"waits for a while in {name}(): wait for a condition"
    if name == "settings" and isinstance(call.func, ast.Name):
        yield call.lineno, "has its own settings for a property, and so a deadline: use tests/sampling.py"


def _clock_names(tree: ast.AST) -> frozenset[str]:
    """Return the names that are assigned the value of a clock, directly or through another name."""
    names: frozenset[str] = frozenset()
    while True:
        more = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.NamedExpr, ast.AnnAssign))
            and node.value is not None
            and _reads_clock(node.value, names)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        if more <= names:
            return names
        names |= more


def _reads_clock(node: ast.AST, names: frozenset[str]) -> bool:
    return any(
        (isinstance(part, ast.Name) and part.id in names) or (isinstance(part, ast.Call) and _is_clock(part.func))
        for part in ast.walk(node)
    )


def _is_clock(function: ast.expr) -> bool:
    """Say whether this is `time.monotonic` or the like; a clock of a test has another name."""
    if isinstance(function, ast.Name):
        return function.id in _CLOCKS - {"time"}
    return _module(function) == "time" and _name(function) in _CLOCKS


def _reads_calendar(node: ast.Compare) -> bool:
    """Say whether `datetime.now` is compared right where it is called; elsewhere its value is mostly data."""
    calls = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
    return any(_module(function) == "datetime" and _name(function) in ("now", "utcnow") for function in calls)


def _passes_time(function: ast.expr) -> bool:
    name = _name(function)
    return name == "wait_for_timeout" or (name == "sleep" and _module(function) in ("time", "asyncio", None))


def _module(function: ast.expr) -> str | None:
    """Return the name before the dot; None without a dot, and "" for another expression."""
    if not isinstance(function, ast.Attribute):
        return None
    return function.value.id if isinstance(function.value, ast.Name) else ""


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_short(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and 0 < node.value < _LEAST


def _is_zero(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0
