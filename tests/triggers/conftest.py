from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly import composition
from tests.mayfly.composed import compose
from tests.triggers.function_host import DurableHost, FunctionHost, patch_durable_client


@pytest.fixture
def api(runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionHost]:
    durable = DurableHost()
    patch_durable_client(monkeypatch, durable)
    composed = compose(runner, folder=tmp_path)
    composition.use(composed.mayfly)
    yield FunctionHost(composed, durable)
    composition.use(None)
    composed.close()
