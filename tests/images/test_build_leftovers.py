"""Parts of the build stay out of the image: this machine's pip configuration, its proxies, pip's cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.images.conftest import Image, Say
from tests.images.engine import Engine
from tests.images.pip_configuration import CANARY, PipConfiguration

_ACCOUNTS = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
_BY_USERADD = {f"/etc/{name}{suffix}" for name in _ACCOUNTS for suffix in ("", "-")} | {"/etc/.pwd.lock"}
_ROOMS = {
    "worker_image": ("/opt/mayfly/worker", "/home/worker"),
    "dashboard_image": (
        "/opt/mayfly",
        "/home/dashboard",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/local/etc/jupyter",  # one package of Streamlit's brings an extension for notebooks
        "/usr/local/share/jupyter",
    ),
}
"""The paths at which each image may differ from its base."""
_SEARCHES = """
import os, sys
sought = [word.encode() for word in sys.argv[1:]]
seen = 0
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "dev")]
    for name in files:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as file:
                held = file.read()
            seen += 1
            for word in sought:
                if word in held:
                    print("found", word.decode(), "in", path)
print("searched", seen)
"""


@pytest.fixture(params=["worker_image", "dashboard_image"])
def image(request: pytest.FixtureRequest) -> Image:
    image: Image = request.getfixturevalue(request.param)
    return image


@pytest.fixture
def rooms(request: pytest.FixtureRequest, image: Image) -> tuple[str, ...]:
    return _ROOMS[request.node.callspec.params["image"]]


def test_a_build_uses_the_configuration(
    engine: Engine, base: tuple[str, str], pip_configuration: PipConfiguration, tmp_path: Path
) -> None:
    """Otherwise the tests below would search for something that never existed."""
    dockerfile = tmp_path / "Dockerfile"
    seen = "pip config get global.trusted-host > /seen"
    dockerfile.write_text(f"FROM {base[0]}\nRUN {seen}\n", encoding="utf-8")
    engine.build(tmp_path, tag="shows-configuration", dockerfile=dockerfile, mounts=pip_configuration.mounts)
    assert CANARY in engine.run("run", "--rm", "shows-configuration", "cat", "/seen")


def test_an_image_differs_from_its_base_only_where_its_dockerfile_writes(
    engine: Engine, image: Image, rooms: tuple[str, ...], base: tuple[str, str], say: Say
) -> None:
    say(f"built {image} on {image.base}, {base[1]}")
    changes = json.loads(engine.run("image", "diff", "--format", "json", image.name, image.base))
    added, changed = changes.get("added", []), changes.get("changed", [])
    assert any(path.startswith(rooms[0]) for path in added)
    expected = {path for path in (*added, *changed) if path.startswith(rooms) or _is_bytecode(path)} | _BY_USERADD
    above = {str(folder) for path in (*expected, *rooms) for folder in Path(path).parents}
    assert {*added, *changed} - expected - above == set()
    assert changes.get("deleted", []) == []
    assert [path for path in added if Path(path).name in ("pip.conf", ".cache", "direct_url.json")] == []


def test_no_file_and_no_setting_of_an_image_holds_the_builders_configuration(
    engine: Engine, image: Image, pip_configuration: PipConfiguration
) -> None:
    options = ["--rm", "--interactive", "--user", "0", "--http-proxy=false", "--entrypoint", "python"]
    found = engine.run("run", *options, image.name, "-", *pip_configuration.private, stdin=_SEARCHES)
    assert "found" not in found, found
    assert int(found.split()[-1]) > 1_000
    described = engine.inspect_image(image.name)
    history = engine.run("history", "--no-trunc", "--format", "json", image.name)
    shown = json.dumps(described) + history
    assert [word for word in pip_configuration.private if word in shown] == []
    assert {
        name for name in _variables(described) if name.startswith(("PIP_", "SSL_")) or "proxy" in name.lower()
    } == set()


def test_an_image_has_its_labels_and_runs_without_root(engine: Engine, image: Image) -> None:
    config = engine.inspect_image(image.name)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.title"] == image.name
    assert config["Labels"]["org.opencontainers.image.licenses"] == "MIT"


def _is_bytecode(path: str) -> bool:
    """Say whether Python writes this file when it runs: the base may have none for its standard library."""
    return path.startswith("/usr/local/lib/python") and "__pycache__" in path


def _variables(described: dict[str, object]) -> set[str]:
    config = described["Config"]
    assert isinstance(config, dict)
    return {str(variable).partition("=")[0] for variable in config["Env"]}
