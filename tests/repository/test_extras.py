"""Each extra of the package brings all that its part imports; the base install is enough to use Mayfly as a library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LAZY = {
    "local_host.__main__",
    "local_host.triggers.cosmos_feed",
    "mayfly.__main__",
    "streamlit_dashboard.__main__",
    "streamlit_dashboard.app",
}
"""Modules that run when they are imported, or are imported only if their adapter is selected."""


def modules(*packages: str) -> list[str]:
    """Return every module of these packages, except those that run when they are imported."""
    files = (file for package in packages for file in (ROOT / package).rglob("*.py"))
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files}
    return sorted(name for name in names - _LAZY if ".screens" not in name)


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        (
            "",
            [
                "mayfly.cli",
                "mayfly.errors",
                "mayfly.validation",
                *modules("mayfly/jobs", "mayfly/client", "mayfly/wording"),
            ],
        ),
        ("cli", ["mayfly.cli.app"]),
        ("host", ["function_app", *modules("local_host")]),
        ("cli,host", modules("mayfly/cli")),
        ("dashboard", modules("streamlit_dashboard", "mayfly/cosmos", "mayfly/log", "mayfly/views")),
        ("function-app", ["function_app", *(one for one in modules("mayfly") if not one.startswith("mayfly.cli"))]),
    ],
)
def test_extras_bring_what_their_part_imports(extra: str, names: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("installed_parts.py")), extra, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_command_without_its_extra_ends_with_one_sentence() -> None:
    ran = subprocess.run([sys.executable, "-c", _WITHOUT_TYPER], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        "error: the mayfly command needs typer and rich; install the extra [cli], as in pip install '.[cli]' in a"
        " checkout of Mayfly\n"
    )


_WITHOUT_TYPER = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("typer", "rich") else find_spec(name, *rest)
from mayfly.cli import main
main(["list"])
"""
