from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from mayfly.cli import main
from tests.mayfly.cli.scripted_api import Answer, ScriptedApi


@dataclass(frozen=True, kw_only=True)
class Ran:
    exit_code: int
    out: str
    err: str


Run = Callable[..., Ran]
Serve = Callable[[Mapping[str, Sequence[Answer]]], ScriptedApi]


@pytest.fixture
def _signal_handlers() -> Iterator[None]:
    """Restore the signal handlers that a command line installs in this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _signal_handlers: None
) -> Run:
    """Run a command line in this process, without the developer's own settings."""
    for name in ("MAYFLY_URL", "MAYFLY_KEY", "MAYFLY_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        printed = capsys.readouterr()
        return Ran(exit_code=int(left.value.code or 0), out=printed.out, err=printed.err)

    return run


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[Serve]:
    """Serve a script at the URL that commands use by default."""
    with ExitStack() as stack:

        def serve(script: Mapping[str, Sequence[Answer]]) -> ScriptedApi:
            api = stack.enter_context(ScriptedApi(script).serving())
            monkeypatch.setenv("MAYFLY_URL", api.url)
            return api

        yield serve
