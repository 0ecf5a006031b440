"""The commands of docs/deploy.md, run word for word in a shell, with an `az` that checks its arguments.

It answers as Azure would, and checks that each file, template, parameter and secret exists. Whether Azure accepts the
commands is not tested.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.bicep.files import MAIN, ROOT, outputs
from tests.programs import write_python_program

DEPLOY = ROOT / "docs" / "deploy.md"
_AZ = """import json, os, sys, zipfile
from pathlib import Path

given = sys.argv[1:]
words = " ".join(given)
options = {}
for at, word in enumerate(given):
    if word.startswith("-") and at + 1 < len(given):
        options[word] = given[at + 1]
with open(os.environ["SEEN"], "a") as seen:
    seen.write(json.dumps(given) + "\\n")

def must(fact, what):
    if not fact:
        sys.exit(f"az {words}: {what}")

must("" not in given, "an argument is empty")
for name in ("--template-file", "--src"):
    must(name not in options or Path(options[name]).is_file(), f"{name} is not there")
if words.startswith("deployment sub show"):
    print(os.environ["OUTPUTS"])
elif words.startswith("ad signed-in-user show"):
    print("11111111-2222-3333-4444-555555555555")
elif words.startswith("ad app create"):
    print("66666666-7777-8888-9999-000000000000")
elif words.startswith("keyvault secret show"):
    sys.exit(3)  # there is none yet
elif words.startswith("keyvault secret set"):
    value = Path(options["--file"]).read_text()
    must(len(value) >= 32 and value == value.strip(), "no value, or with a line's end")
    print("https://vault/secrets/" + options["--name"])
elif words.startswith("functionapp keys list"):
    print("k" * 40)
elif words.startswith("functionapp deployment source config-zip"):
    names = zipfile.ZipFile(options["--src"]).namelist()
    must({"function_app.py", "host.json", "requirements.txt"} <= set(names), "the package is not whole")
    must(not any(name.startswith(("tests/", "local_host/", ".")) for name in names), "the package holds too much")
elif words.startswith("acr build"):
    must(Path(given[-1]).is_dir(), "no folder to build from")
    must(Path(options.get("--file", given[-1] + "/Dockerfile")).is_file(), "no Dockerfile")
elif words.startswith("deployment group create"):
    must("--query properties.outputs.url.value" in words, "requests no address")
    print("https://dashboard.example")
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    write_python_program(programs / "az", _AZ)
    for name in ("azd", "curl"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
    # Resource Manager lowers the first letters of an output's name.
    answers = {one[:6].lower() + one[6:]: {"type": "String", "value": f"the {one.lower()}"} for one in outputs(MAIN)}
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SEEN": str(tmp_path / "seen"),
        "OUTPUTS": json.dumps(answers),
    }


def _blocks() -> list[str]:
    """Return the shell blocks in order, without those that are only for azd."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", DEPLOY.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block for block in blocks if "azd up" not in block]


def test_every_command_of_the_guide_runs_unchanged(environment: dict[str, str], tmp_path: Path) -> None:
    script = "\n".join(["set -eu", *_blocks()])
    script = script.replace("/tmp/mayfly.zip", str(tmp_path / "mayfly.zip"))
    script = script.replace("password.tmp", str(tmp_path / "password.tmp"))
    script = script.replace("\n.venv/bin/mayfly", "\necho mayfly").replace("ADDRESS", "address.example")
    (tmp_path / "password.tmp").write_text("p" * 32)
    ran = subprocess.run(["sh", "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    seen = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    asked = [" ".join(one) for one in seen]
    assert "echo" not in asked
    assert "mayfly submit --url the mayfly_url --key " + "k" * 40 in ran.stdout
    kept = [one for one in asked if one.startswith("keyvault secret set")]
    assert [one.split("--name ")[1].split()[0] for one in kept] == [
        *("mayfly-report-key", "mayfly-api-key", "mayfly-api-key", "db-password")
    ]
    assert not any("k" * 40 in one or "p" * 32 in one for one in asked), "no key is an argument of az"
    assert sum(one.startswith("acr build") for one in asked) == 2, "the worker's image and the dashboard's"
    (dashboard,) = [one for one in seen if one[:3] == ["deployment", "group", "create"]]
    assert "apiUrl=the mayfly_url" in dashboard


def test_a_broken_command_in_the_guide_is_found(environment: dict[str, str]) -> None:
    script = "set -eu\n" + _blocks()[1].replace("bicep/main.bicep", "bicep/mane.bicep")
    ran = subprocess.run(["sh", "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "--template-file is not there" in ran.stderr
