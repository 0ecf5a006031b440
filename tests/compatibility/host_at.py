"""Run the local host as if it were another time: `python -m tests.compatibility.host_at MOMENT start --app ...`.

The record is of one day, and the jobs' deadlines passed soon after. A host that starts at that time takes the jobs up
as it would have, minutes after the old host was killed. The clock runs on from there at its usual pace.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import local_host.clock
import mayfly.clock
from local_host.cli import main


def begin_at(moment: datetime) -> None:
    """Set both clocks that the process reads."""
    behind = datetime.now(UTC) - moment
    for clock in (mayfly.clock.SystemClock, local_host.clock.SystemClock):
        setattr(clock, "now", lambda _: datetime.now(UTC) - behind)  # noqa: B010 - a method is replaced on purpose


if __name__ == "__main__":
    begin_at(datetime.fromisoformat(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
