from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.mayfly.composed import Composed, compose


@pytest.fixture
def composed(runner: asyncio.Runner) -> Iterator[Composed]:
    composed = compose(runner)
    yield composed
    composed.close()
