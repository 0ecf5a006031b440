"""Unclosed connections are reported, on every Python."""

from __future__ import annotations

import gc
import sqlite3
import warnings
from contextlib import closing

import pytest


def test_an_unclosed_connection_is_reported_with_the_test_that_opened_it() -> None:
    sqlite3.connect(":memory:").execute("SELECT 1")
    with pytest.warns(ResourceWarning, match=r":memory:, opened in tests/test_unclosed\.py::test_an_unclosed_"):
        gc.collect()  # a connection and its cache of statements hold each other


def test_a_connection_that_was_closed_or_never_opened_is_not_reported() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("SELECT 1")
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            sqlite3.connect("file:/there/is/nothing?mode=ro", uri=True)
