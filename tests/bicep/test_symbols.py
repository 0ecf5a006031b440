"""Names, parameters and outputs of the templates fit together, and the check finds injected faults."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bicep.files import BICEP, FILES, ROOT
from tests.bicep.symbols import mistakes

_APP = "modules/app.bicep"
_PLANTED = {
    "a name that is not there": (
        "main.bicep",
        "string = workerTag",
        "string = workerTags",
        "workerTags is not declared",
    ),
    "a name in an interpolation": (
        _APP,
        "https://${app.properties",
        "https://${apps.properties",
        "apps is not declared",
    ),
    "a name in a condition": ("main.bicep", "if (useNetwork)", "if (usesNetwork)", "usesNetwork is not declared"),
    "a name outside its loop": (
        "modules/cosmos.bicep",
        "output name string = account.name",
        "output name string = container.key",
        "container is not declared",
    ),
    "a parameter that nothing uses": (
        _APP,
        "param location string",
        "param location string\n\nparam more string",
        "more is never used",
    ),
    "a variable that nothing uses": (
        _APP,
        "param location string",
        "param location string\n\nvar more = 1",
        "more is never used",
    ),
    "a name twice": ("modules/bus.bicep", "var dataSender =", "var dataReceiver =", "dataReceiver is declared twice"),
    "a module that is not there": (
        "main.bicep",
        "'modules/vault.bicep'",
        "'modules/vaults.bicep'",
        "vaults.bicep is not there",
    ),
    "an output that is not there": ("main.bicep", "vault.outputs.uri", "vault.outputs.url", "there is no such output"),
    "an output without `outputs`": ("main.bicep", "vault.outputs.uri", "vault.uri", "a module has outputs"),
    "an optional module taken for granted": (
        "main.bicep",
        "network!.outputs.app",
        "network.outputs.app",
        "need a !",
    ),
    "a parameter too many": ("main.bicep", "busId: bus.outputs.id", "busId: bus.outputs.id\n    more: 1", "given more"),
    "a parameter too few": ("main.bicep", "    busId: bus.outputs.id\n", "", "alerts is not given busId"),
    "a parameter of another kind": ("main.bicep", "vaultUri: vault.outputs.uri", "vaultUri: true", "is given a bool"),
    "a parameter that was passed on": (
        "main.bicep",
        "email: alertEmail",
        "email: useNetwork",
        "email is a string and is given a bool",
    ),
    "an array for a text": (
        "main.bicep",
        "email: alertEmail",
        "email: [alertEmail]",
        "email is a string and is given a array",
    ),
    "a value that is not allowed": (
        "main.bicep",
        "param principalType string = 'User'",
        "param principalType string = 'Robot'",
        "and is given 'Robot'",
    ),
    "a function that is not there": (_APP, "properties: union(", "properties: unite(", "unite() is not known"),
    "a part that no resource has": (
        _APP,
        "output name string = app.name",
        "output name string = app.nam",
        "has no nam",
    ),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_name_fits(path: Path) -> None:
    assert mistakes(path) == []


@pytest.mark.parametrize("fault", _PLANTED)
def test_an_injected_fault_is_found(fault: str, tmp_path: Path) -> None:
    file, old, new, words = _PLANTED[fault]
    shutil.copytree(BICEP, tmp_path / "bicep")
    path = tmp_path / "bicep" / file
    whole = path.read_text(encoding="utf-8")
    assert old in whole
    path.write_text(whole.replace(old, new, 1), encoding="utf-8")
    found = mistakes(path)
    assert any(words in one for one in found), found


def test_every_file_that_the_templates_load_exists() -> None:
    for path in FILES:
        for word in path.read_text(encoding="utf-8").split("loadJsonContent('")[1:]:
            assert (path.parent / word.partition("'")[0]).resolve().is_relative_to(ROOT)
            assert (path.parent / word.partition("'")[0]).exists()
