"""The faults, and whether one occurs now. Each seed draws a few of them, so that all combinations occur."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

FAULTS: dict[str, float] = {
    # The log and the views
    "append_lost": 0.06,
    "append_unanswered": 0.15,
    "read_fails": 0.05,
    "log_outage": 0.004,
    "views_fail": 0.1,
    "views_lost": 0.004,
    # The host and its task hub
    "activity_dropped": 0.15,
    "activity_twice": 0.2,
    "completion_twice": 0.2,
    "completion_late": 0.5,
    "host_crash": 0.006,
    "hub_lost": 0.004,
    "hub_lost_with_zombies": 0.004,
    "start_fails": 0.2,
    "start_unanswered": 0.2,
    "wake_fails": 0.25,
    "wake_unanswered": 0.2,
    "alive_fails": 0.2,
    "reconcile_at_any_time": 0.02,
    # The platform
    "refused_permanent": 0.15,
    "refused_retry": 0.3,
    "refused_wait": 0.3,
    "refused_relocate": 0.2,
    "create_unanswered": 0.25,
    "create_lost": 0.25,
    "create_late": 0.3,
    "start_slow": 0.3,
    "start_never": 0.2,
    "group_lost": 0.2,
    "group_restarted": 0.6,
    "exit_code_unknown": 0.3,
    "delete_slow": 0.4,
    "delete_ignored": 0.3,
    "delete_unanswered": 0.3,
    "delete_fails": 0.3,
    "delete_stubborn": 0.25,
    "inspect_fails": 0.25,
    "list_fails": 0.2,
    "logs_fail": 0.3,
    "metrics_fail": 0.3,
    "platform_outage": 0.005,
    "outage_after_refusal": 0.3,
    "stray_group": 0.3,
    "secret_missing": 0.3,
    "secrets_fail": 0.3,
    # The worker
    "worker_fails": 0.3,
    "worker_mute": 0.2,
    "worker_rude": 0.3,
    "crash_before_claim": 0.2,
    "crash_after_claim": 0.4,
    "crash_after_report": 0.3,
    "worker_silent": 0.2,
    "worker_overruns": 0.25,
    # The network between worker and host
    "report_lost": 0.2,
    "report_late": 0.25,
    "report_twice": 0.5,
    "answer_lost": 0.35,
    # The change feed
    "feed_twice": 0.3,
    "feed_shuffled": 0.3,
    "feed_gap": 0.2,
}
"""By kind of fault, the probability at each opportunity, in a schedule that has it."""


_IN_THE_CALM_TOO = frozenset(
    {
        "start_slow",
        "start_never",
        "group_restarted",
        "exit_code_unknown",
        "delete_slow",
        "delete_stubborn",
        "worker_fails",
        "worker_mute",
        "worker_rude",
        "crash_before_claim",
        "crash_after_claim",
        "crash_after_report",
        "worker_silent",
        "worker_overruns",
    }
)
"""Faults that deadlines and attempt limits handle: they occur until the end, and the world still comes to rest."""


class Faults:
    """One seed's faults."""

    def __init__(self, random: Random) -> None:
        self.struck: Counter[str] = Counter()
        self.log: list[str] = []
        self.active = True
        self._random = random
        share = random.choice((0.0, 0.15, 0.3, 0.5, 0.8))
        self._rates = {kind: rate for kind, rate in FAULTS.items() if random.random() < share}

    def strike(self, kind: str) -> bool:
        """Say whether this fault occurs now, and count it."""
        rate = self._rates.get(kind)
        if rate is None or not (self.active or kind in _IN_THE_CALM_TOO) or self._random.random() >= rate:
            return False
        self.struck[kind] += 1
        self.log.append(kind)
        return True

    def first(self, *kinds: str) -> str | None:
        """Return the first of these that occurs."""
        return next((kind for kind in kinds if self.strike(kind)), None)

    def describe(self) -> dict[str, Any]:
        return dict(self._rates)
