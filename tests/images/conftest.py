"""Both images, built once for all tests of this folder; the summary of the tests lists the images and runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.conftest import browser, page
from tests.images.base_image import provide_base
from tests.images.engine import Engine, running_engine
from tests.images.pip_configuration import PipConfiguration, prepare_pip_configuration

__all__ = ["browser", "page"]

ROOT = Path(__file__).parents[2]
_SAID = "images"
"""The property of a test's report that holds a line of the summary; it comes through pytest-xdist, too."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that was built from this checkout."""

    name: str
    id: str
    size_bytes: int
    base: str

    def __str__(self) -> str:
        return f"{self.name} {self.id[:12]}, {self.size_bytes / 1e6:.0f} MB"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Start a separate engine."""
    with running_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def base(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the base image of both Dockerfiles, which the engine has now, and its origin."""
    names = {_base_of(ROOT / folder / "Dockerfile") for folder in ("worker", "streamlit_dashboard")}
    (name,) = names
    return name, provide_base(engine, name, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def pip_configuration(tmp_path_factory: pytest.TempPathFactory) -> PipConfiguration:
    return prepare_pip_configuration(tmp_path_factory.mktemp("pip"))


@pytest.fixture(scope="session")
def worker_image(engine: Engine, base: tuple[str, str]) -> Image:
    """Build the worker's image, as its Dockerfile says."""
    folder = ROOT / "worker"
    engine.build(folder, tag="mayfly-worker", dockerfile=folder / "Dockerfile")
    return _built(engine, "mayfly-worker", base[0])


@pytest.fixture(scope="session")
def dashboard_image(engine: Engine, base: tuple[str, str], pip_configuration: PipConfiguration) -> Image:
    """Build the dashboard's image, as its Dockerfile says."""
    dockerfile = ROOT / "streamlit_dashboard" / "Dockerfile"
    engine.build(ROOT, tag="mayfly-dashboard", dockerfile=dockerfile, mounts=pip_configuration.mounts)
    return _built(engine, "mayfly-dashboard", base[0])


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Say:
    """Put a line into the summary."""
    return lambda line: record_property(_SAID, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in report.user_properties
        if name == _SAID
    ]
    if lines:
        terminalreporter.section("images")
        for line in lines:
            terminalreporter.write_line(line)


def _base_of(dockerfile: Path) -> str:
    (name,) = re.findall(r"^FROM (\S+)", dockerfile.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return str(name)


def _built(engine: Engine, name: str, base: str) -> Image:
    found = engine.inspect_image(name)
    return Image(name=name, id=found["Id"], size_bytes=found["Size"], base=f"docker.io/library/{base}")
