from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from streamlit_dashboard import services
from tests.mayfly.cli.scripted_api import Answer, ScriptedApi
from tests.streamlit_dashboard.seeding import Seeded
from tests.waiting import HANG_GUARD_S

APP = Path(__file__).parents[2] / "streamlit_dashboard" / "app.py"

Open = Callable[..., AppTest]
Serve = Callable[[Mapping[str, Sequence[Answer]]], ScriptedApi]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let each test have its own data folder, and an API that does not answer until one is served."""
    monkeypatch.setenv("MAYFLY_DATA", str(tmp_path))
    monkeypatch.setenv("MAYFLY_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("MAYFLY_KEY", raising=False)
    monkeypatch.setattr(services, "_READ_WITHIN_S", HANG_GUARD_S)
    for cached in (services.stores, services.api):
        cached.clear()
    yield
    services.api().close()
    services.ask(services.stores().close())


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[Seeded]:
    seeded = Seeded.in_files(tmp_path)
    yield seeded
    seeded.close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serve a script as the API."""
    with ExitStack() as stack:

        def serve(script: Mapping[str, Sequence[Answer]]) -> ScriptedApi:
            api = stack.enter_context(ScriptedApi(script).serving())
            monkeypatch.setenv("MAYFLY_URL", api.url)
            services.api.clear()
            return api

        yield serve


@pytest.fixture
def opened() -> Open:
    """Open a page of the whole app, by its script's name."""

    def opened(page: str = "board", **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=HANG_GUARD_S).run()
        if page != "board":
            app.switch_page(f"screens/{page}.py")
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return opened


def shown(app: AppTest) -> str:
    """Return all text and HTML of a page."""
    kinds = ("markdown", "title", "subheader", "caption", "info", "warning", "error", "success", "text", "code")
    parts = [
        str(getattr(element, "value", getattr(element, "body", ""))) for kind in kinds for element in app.get(kind)
    ]
    parts += [element.proto.body for element in app.get("html")]
    parts += [element.proto.label for element in app.get("page_link")]
    return "\n".join(parts)


def tab(app: object, name: str) -> None:
    """Open a tab, as a click does."""
    app.session_state["tab"] = name  # type: ignore[attr-defined]
    app.run()  # type: ignore[attr-defined]
