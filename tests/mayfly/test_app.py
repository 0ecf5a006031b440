"""Closing the app closes everything, even if one part fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.mayfly.composed import Composed


class _Connection:
    def __init__(self, error: Exception | None = None) -> None:
        self.closed = False
        self._error = error

    async def close(self) -> None:
        self.closed = True
        if self._error is not None:
            raise self._error


def test_a_part_that_fails_to_close_keeps_no_other_open(composed: Composed) -> None:
    before, broken, after = _Connection(), _Connection(OSError("the socket is gone")), _Connection()
    mayfly = replace(composed.mayfly, resources=(before, broken, after))
    with pytest.raises(OSError, match="the socket is gone"):
        composed.runner.run(mayfly.close())
    assert (before.closed, broken.closed, after.closed) == (True, True, True)


def test_the_streams_of_an_app_share_one_cache(composed: Composed) -> None:
    assert composed.mayfly.streams is composed.mayfly.streams
