"""The settings: each default, each refusal with its name and the mend, and a key that is made once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mayfly.errors import SettingInvalid
from mayfly.report_tokens import KEY_BYTES_MIN, ReportTokens
from mayfly.settings import read_settings, read_store_settings


def test_an_empty_environment_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert settings.data == tmp_path / ".mayfly"
    assert (settings.store, settings.runtime, settings.groups_max) == ("sqlite", "processes", 100)
    assert settings.public_url == "http://127.0.0.1:7071"
    assert Path(settings.worker_command[-1]).exists()


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("MAYFLY_STORE", "postgres", "MAYFLY_STORE must be one of sqlite"),
        ("MAYFLY_STORE", "cosmos", r"MAYFLY_COSMOS_ENDPOINT must be an address such as https://.* \(got ''\)"),
        ("MAYFLY_RUNTIME", "docker", "MAYFLY_RUNTIME must be one of processes"),
        ("MAYFLY_REPORT_KEY", "@Microsoft.KeyVault(SecretUri=https://kv.test/secrets/k)", "was not resolved"),
        ("MAYFLY_GROUPS_MAX", "0", r"MAYFLY_GROUPS_MAX must be a whole number of at least 1 \(got '0'\)"),
        ("MAYFLY_GROUPS_MAX", "many", "MAYFLY_GROUPS_MAX must be a whole number of at least 1"),
        ("MAYFLY_GROUPS_MAX", "-5", "MAYFLY_GROUPS_MAX must be a whole number of at least 1"),
        ("MAYFLY_GROUPS_MAX", "", "MAYFLY_GROUPS_MAX must be a whole number of at least 1"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name_and_the_mend(
    tmp_path: Path, name: str, value: str, mend: str
) -> None:
    with pytest.raises(SettingInvalid, match=mend):
        read_settings({"MAYFLY_DATA": str(tmp_path), name: value})


ACI = {
    "MAYFLY_RUNTIME": "aci",
    "MAYFLY_SUBSCRIPTION": "s",
    "MAYFLY_RESOURCE_GROUP": "rg",
    "MAYFLY_PLACES": "swedencentral,westeurope:spot:4:16",
    "MAYFLY_WORKER_IMAGE": "mine.azurecr.io/worker:1",
}


def test_azure_needs_five_settings_and_has_defaults_for_the_rest(tmp_path: Path) -> None:
    aci = read_settings({"MAYFLY_DATA": str(tmp_path), **ACI}).aci
    assert aci is not None
    assert [place.name for place in aci.places] == ["swedencentral", "westeurope-spot"]
    assert aci.arm_endpoint == "https://management.azure.com"
    assert (aci.worker_identity, aci.subnet, aci.log_workspace, aci.metrics) == (None, None, None, True)
    assert (aci.cpu_hour_usd, aci.memory_gb_hour_usd) == (0.0405, 0.00445)


@pytest.mark.parametrize("name", [name for name in ACI if name != "MAYFLY_RUNTIME"])
def test_azure_without_one_of_them_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingInvalid, match=f"{name} is required"):
        read_settings({"MAYFLY_DATA": str(tmp_path), **ACI, name: ""})


@pytest.mark.parametrize(
    ("places", "mend"),
    [
        ("Sweden Central", "must be like swedencentral,westeurope:spot:4:16"),
        ("swedencentral:4", "must be like"),
        ("swedencentral:four:16", "must give cores and GB as numbers"),
        ("swedencentral,swedencentral", "must name each place once"),
    ],
)
def test_places_that_cannot_be_read_are_refused_with_the_mend(tmp_path: Path, places: str, mend: str) -> None:
    with pytest.raises(SettingInvalid, match=f"MAYFLY_PLACES {mend}"):
        read_settings({"MAYFLY_DATA": str(tmp_path), **ACI, "MAYFLY_PLACES": places})


def test_a_price_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="MAYFLY_CPU_HOUR_USD must be a price in USD"):
        read_settings({"MAYFLY_DATA": str(tmp_path), **ACI, "MAYFLY_CPU_HOUR_USD": "cheap"})


def test_the_workspaces_key_is_not_shown(tmp_path: Path) -> None:
    settings = read_settings({"MAYFLY_DATA": str(tmp_path), **ACI, "MAYFLY_LOG_WORKSPACE_KEY": "hunter2"})
    assert "hunter2" not in repr(settings)


def test_the_cosmos_store_has_an_address_and_a_key_only_where_one_is_given(tmp_path: Path) -> None:
    environment = {
        "MAYFLY_DATA": str(tmp_path),
        "MAYFLY_STORE": "cosmos",
        "MAYFLY_COSMOS_ENDPOINT": "http://127.0.0.1:8081/",
    }
    settings = read_settings(environment)
    assert (settings.cosmos_endpoint, settings.cosmos_key) == ("http://127.0.0.1:8081/", None)
    settings = read_settings({**environment, "MAYFLY_COSMOS_KEY": "a key"})
    assert settings.cosmos_key == "a key"
    assert "a key" not in repr(settings)


def test_a_reader_knows_its_stores_and_the_prices_where_containers_cost_something(tmp_path: Path) -> None:
    environment = {"MAYFLY_DATA": str(tmp_path)}
    here = read_store_settings(environment)
    assert (here.store, here.cosmos_endpoint, here.cpu_hour_usd, here.memory_gb_hour_usd) == ("sqlite", None, 0.0, 0.0)
    with pytest.raises(SettingInvalid, match="MAYFLY_COSMOS_ENDPOINT must be an address"):
        read_store_settings({**environment, "MAYFLY_STORE": "cosmos"})
    azure = {
        "MAYFLY_STORE": "cosmos",
        "MAYFLY_COSMOS_ENDPOINT": "https://mayfly.documents.azure.com:443/",
        "MAYFLY_COSMOS_KEY": "a key",
        "MAYFLY_RUNTIME": "aci",
        "MAYFLY_CPU_HOUR_USD": "0.05",
    }
    there = read_store_settings({**environment, **azure})
    assert (there.cosmos_endpoint, there.cosmos_key) == ("https://mayfly.documents.azure.com:443/", "a key")
    assert (there.cpu_hour_usd, there.memory_gb_hour_usd) == (0.05, 0.00445)
    assert "a key" not in repr(there)


def test_the_public_url_has_no_slash_at_its_end(tmp_path: Path) -> None:
    settings = read_settings({"MAYFLY_DATA": str(tmp_path), "MAYFLY_PUBLIC_URL": "https://mayfly.test/"})
    assert settings.public_url == "https://mayfly.test"


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    environment = {"MAYFLY_DATA": str(tmp_path / "data")}
    first = read_settings(environment).report_key
    assert read_settings(environment).report_key == first
    assert len(first) >= KEY_BYTES_MIN
    assert stat.S_IMODE((tmp_path / "data" / "report.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["report.key"]


def test_two_data_folders_have_two_keys(tmp_path: Path) -> None:
    keys = {read_settings({"MAYFLY_DATA": str(tmp_path / name)}).report_key for name in ("a", "b")}
    assert len(keys) == 2


def test_readers_at_one_time_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: read_settings({"MAYFLY_DATA": str(tmp_path)}).report_key, range(32)))
    assert len(set(keys)) == 1


def test_a_key_that_is_too_short_is_refused_with_both_lengths() -> None:
    with pytest.raises(ValueError, match=r"at least 32 bytes \(got 5\)"):
        ReportTokens(b"short")
