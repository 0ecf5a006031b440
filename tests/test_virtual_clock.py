"""The virtual clock: time passes only when a test says so."""

from __future__ import annotations

from datetime import timedelta

from tests.virtual_clock import VirtualClock


def test_alarms_ring_in_order_each_at_its_own_time() -> None:
    clock = VirtualClock()
    start = clock.now()
    rung: list[tuple[str, timedelta]] = []
    for name, hours in (("b", 2), ("a", 1), ("c", 30)):
        clock.call_at(start + timedelta(hours=hours), lambda name=name: rung.append((name, clock.now() - start)))  # type: ignore[misc]
    off = clock.call_at(start + timedelta(hours=1), lambda: rung.append(("off", timedelta())))
    off.cancel()
    clock.advance(timedelta(hours=3))
    assert rung == [("a", timedelta(hours=1)), ("b", timedelta(hours=2))]
    assert clock.now() - start == timedelta(hours=3)
    assert clock.next_alarm() == start + timedelta(hours=30)
