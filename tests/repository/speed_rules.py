"""Find code that makes a test depend on the speed or the load of the machine."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

_CLOCKS = frozenset({"time", "monotonic", "perf_counter", "process_time", "monotonic_ns", "perf_counter_ns", "time_ns"})
_LIMITS = frozenset({"timeout", "timeout_s", "default_timeout", "within_s"})
_LEAST = 86_400
"""A limit beyond this, whether in seconds or in milliseconds, bounds nothing that happens in a test."""
_WAITS = frozenset(
    {"wait", "join", "communicate", "timeout", "wait_for", "result", "settimeout", "set_default_timeout", "alarm"}
)
"""Calls whose last positional argument may be a limit in seconds."""
_CALENDAR = frozenset({"now", "utcnow"})


def speed_faults(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and fault for each use of real time that could decide how a test ends."""
    tree = ast.parse(source)
    names = _names_of(tree, _is_clock)
    days = _names_of(tree, _is_calendar)
    numbers = _numbers(tree)
    polling = {id(node) for loop in ast.walk(tree) if isinstance(loop, ast.While) for node in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and (
            _reads(node, names, _is_clock) or _reads(node, frozenset(), _is_calendar) or _measures(node, days)
        ):
            yield node.lineno, "compares real time: wait for a condition, or give the code a clock"
        elif isinstance(node, ast.Call):
            yield from _call_faults(node, numbers, polling=id(node) in polling)


def _call_faults(call: ast.Call, numbers: Mapping[str, float], *, polling: bool) -> Iterator[tuple[int, str]]:
    name = _name(call.func)
    limits = [keyword.value for keyword in call.keywords if keyword.arg in _LIMITS]
    if name in _WAITS:
        limits += call.args[-1:]
    if any(_is_short(limit, numbers) for limit in limits):
        yield call.lineno, f"has its own time limit in {name}(): use tests/waiting.py"
    slept = call.args[0] if call.args else None
    if _passes_time(call.func) and not polling and not _is_zero(slept):
        yield call.lineno, f"waits for a while in {name}(): wait for a condition"
    if name == "settings" and isinstance(call.func, ast.Name):
        yield call.lineno, "has its own settings for a property, and so a deadline: use tests/sampling.py"


def _names_of(tree: ast.AST, is_source: Callable[[ast.expr], bool]) -> frozenset[str]:
    """Return the names that are assigned the result of such a call, directly or through another name."""
    names: frozenset[str] = frozenset()
    while True:
        more = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.NamedExpr, ast.AnnAssign))
            and node.value is not None
            and _reads(node.value, names, is_source)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        if more <= names:
            return names
        names |= more


def _numbers(tree: ast.Module) -> dict[str, float]:
    """Return the constants of a module that are numbers."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, (int, float))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def _reads(node: ast.AST, names: frozenset[str], is_source: Callable[[ast.expr], bool]) -> bool:
    return any(
        (isinstance(part, ast.Name) and part.id in names) or (isinstance(part, ast.Call) and is_source(part.func))
        for part in ast.walk(node)
    )


def _measures(node: ast.Compare, days: frozenset[str]) -> bool:
    """Say whether a span of time from `datetime.now` on bounds another.

    The mere order of two times depends on no speed, and equal times are data.
    """
    bounds = any(isinstance(operator, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for operator in node.ops)
    return bounds and any(
        isinstance(part, ast.BinOp)
        and isinstance(part.op, (ast.Add, ast.Sub))
        and any(isinstance(one, ast.Name) and one.id in days for one in ast.walk(part))
        for part in ast.walk(node)
    )


def _is_clock(function: ast.expr) -> bool:
    """Say whether this is `time.monotonic` or the like; a clock of a test has another name."""
    if isinstance(function, ast.Name):
        return function.id in _CLOCKS - {"time"}
    return _module(function) == "time" and _name(function) in _CLOCKS


def _is_calendar(function: ast.expr) -> bool:
    """Say whether this is `datetime.now`."""
    return _module(function) == "datetime" and _name(function) in _CALENDAR


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


def _is_short(node: ast.expr, numbers: Mapping[str, float]) -> bool:
    value = numbers.get(node.id) if isinstance(node, ast.Name) else getattr(node, "value", None)
    return isinstance(value, (int, float)) and 0 < value < _LEAST


def _is_zero(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0
