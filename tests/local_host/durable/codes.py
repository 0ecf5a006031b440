"""Orchestrators and activities that several tests run, and an engine for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.local_host.driving import Code, Rig


@contextmanager
def rigged(orchestrators: dict[str, Code] | Code, **activities: Any) -> Iterator[Rig]:
    codes = orchestrators if isinstance(orchestrators, dict) else {"main": orchestrators}
    rig = Rig(codes, activities)
    try:
        yield rig
    finally:
        rig.close()


def double(value: int) -> int:
    return value * 2


def fail(value: Any) -> Any:
    raise ValueError(f"no {value}")


def waits(context: Any) -> Any:
    answered = yield context.wait_for_external_event("answered")
    return answered


def in_days(context: Any, days: int) -> Any:
    return context.current_utc_datetime + timedelta(days=days)
