"""Modules without behavior are recognized, and any behavior is noticed."""

from __future__ import annotations

import pytest

from tests.repository.declarations import declares_only

_PORT = '''
"""The port to the log."""
from __future__ import annotations
import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

LIMIT: int = 1_000
"""Events in one answer."""
_NAME = re.compile("[a-z]+")

@dataclass(frozen=True)
class Recorded:
    """An event."""
    position: int
    """Gapless."""

class EventLog(Protocol):
    """Append and read."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    async def read(self, limit: int = LIMIT) -> Sequence[Recorded]: ...
'''


def test_a_port_with_its_values_and_limits_only_declares() -> None:
    assert declares_only(_PORT)


@pytest.mark.parametrize(
    "behavior",
    [
        "def twice(n: int) -> int:\n    return 2 * n",
        "async def nothing() -> None: ...",
        "class Cost:\n    def total(self) -> int:\n        return 1",
        "class Gone(Exception):\n    def __init__(self) -> None: ...",
        "class Clock(Protocol):\n    def now(self) -> int:\n        return 1",
        "LABELS = {name: name.title() for name in NAMES}",
        "key = lambda one: one.at",
        "if sys.platform == 'linux':\n    PATH = '/proc'",
        "for name in NAMES:\n    register(name)",
        "main()",
    ],
)
def test_behavior_beside_declarations_is_noticed(behavior: str) -> None:
    assert not declares_only(f"{_PORT}\n{behavior}\n")
