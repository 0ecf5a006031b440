"""Secrets in environment variables: values, and the name of a missing variable."""

from __future__ import annotations

import pytest

from mayfly.errors import SecretMissing
from mayfly.secrets.environment import EnvironmentSecrets
from tests.mayfly.composed import Composed

CANARY = "canary-7f3a-never-to-be-seen"


def test_the_environment_store_names_the_variable_that_is_missing(
    composed: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAYFLY_SECRET_DB_PASSWORD", CANARY)
    monkeypatch.delenv("MAYFLY_SECRET_OTHER", raising=False)
    store = EnvironmentSecrets()
    assert composed.runner.run(store.resolve({"A": "db-password"})) == {"A": CANARY}
    with pytest.raises(SecretMissing) as missing:
        composed.runner.run(store.resolve({"A": "db-password", "B": "other"}))
    assert "set MAYFLY_SECRET_OTHER where the host runs" in str(missing.value)
    assert CANARY not in repr(missing.value)
