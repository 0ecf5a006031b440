"""The settings: each default, each error with its name and fix, and a key that is generated once."""

from __future__ import annotations

import stat
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mayfly.errors import SettingInvalid
from mayfly.jobs.costs import Prices
from mayfly.report_tokens import KEY_BYTES_MIN
from mayfly.settings import AciSettings, queue_name, read_settings, read_store_settings


def test_an_empty_environment_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert settings.data == tmp_path / ".mayfly"
    assert (settings.store, settings.runtime, settings.groups_max) == ("sqlite", "processes", 100)
    assert settings.public_url == "http://127.0.0.1:7071"
    assert Path(settings.worker_command[-1]).exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MAYFLY_STORE", "postgres", r"MAYFLY_STORE must be one of sqlite, cosmos \(got 'postgres'\)"),
        ("MAYFLY_STORE", "cosmos", r"MAYFLY_COSMOS_ENDPOINT must be an address such as https://.* \(got ''\)"),
        ("MAYFLY_RUNTIME", "docker", r"MAYFLY_RUNTIME must be one of processes, aci \(got 'docker'\)"),
        ("MAYFLY_REPORT_KEY", "@Microsoft.KeyVault(SecretUri=https://kv.test/secrets/k)", "was not resolved"),
        ("MAYFLY_REPORT_KEY", "short", r"MAYFLY_REPORT_KEY must have at least 32 bytes \(got 5\)"),
        ("MAYFLY_GROUPS_MAX", "0", r"MAYFLY_GROUPS_MAX must be a whole number of at least 1 \(got '0'\)"),
        ("MAYFLY_GROUPS_MAX", "many", "MAYFLY_GROUPS_MAX must be a whole number of at least 1"),
        ("MAYFLY_GROUPS_MAX", "-5", "MAYFLY_GROUPS_MAX must be a whole number of at least 1"),
        ("MAYFLY_GROUPS_MAX", "", "MAYFLY_GROUPS_MAX must be a whole number of at least 1"),
    ],
)
def test_an_invalid_setting_is_rejected_with_its_name_and_the_fix(
    tmp_path: Path, name: str, value: str, message: str
) -> None:
    with pytest.raises(SettingInvalid, match=message):
        read_settings({"MAYFLY_DATA": str(tmp_path), name: value})


ACI = {
    "MAYFLY_RUNTIME": "aci",
    "MAYFLY_SUBSCRIPTION": "s",
    "MAYFLY_RESOURCE_GROUP": "rg",
    "MAYFLY_PLACES": "swedencentral,westeurope:spot:4:16",
    "MAYFLY_WORKER_IMAGE": "mine.azurecr.io/worker:1",
}


def test_azure_needs_five_settings_and_has_defaults_for_the_rest(tmp_path: Path) -> None:
    aci = read_settings({"MAYFLY_DATA": str(tmp_path), **ACI})
    assert isinstance(aci, AciSettings)
    assert [place.name for place in aci.places] == ["swedencentral", "westeurope-spot"]
    assert aci.arm_endpoint == "https://management.azure.com"
    assert (aci.worker_identity, aci.subnet, aci.log_workspace, aci.metrics) == (None, None, None, "on")
    assert aci.prices == Prices(cpu_hour=0.0405, memory_gb_hour=0.00445)


@pytest.mark.parametrize("name", [name for name in ACI if name != "MAYFLY_RUNTIME"])
def test_azure_without_one_of_them_is_rejected_with_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingInvalid, match=f"{name} is required when MAYFLY_RUNTIME=aci"):
        read_settings({"MAYFLY_DATA": str(tmp_path), **ACI, name: ""})


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ("Sweden Central", "must be like swedencentral,westeurope:spot:4:16"),
        ("swedencentral:4", "must be like"),
        ("swedencentral:four:16", "must give cores and GB as numbers"),
        ("swedencentral,swedencentral", "must name each place once"),
    ],
)
def test_invalid_places_are_rejected_with_the_fix(tmp_path: Path, places: str, message: str) -> None:
    with pytest.raises(SettingInvalid, match=f"MAYFLY_PLACES {message}"):
        read_settings({"MAYFLY_DATA": str(tmp_path), **ACI, "MAYFLY_PLACES": places})


def test_an_invalid_price_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="MAYFLY_CPU_HOUR_USD must be a price in USD"):
        read_settings({"MAYFLY_DATA": str(tmp_path), **ACI, "MAYFLY_CPU_HOUR_USD": "cheap"})


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid) as raised:
        read_settings({"MAYFLY_DATA": str(tmp_path), "MAYFLY_STORE": "postgres", "MAYFLY_GROUPS_MAX": "0"})
    assert str(raised.value) == (
        "MAYFLY_STORE must be one of sqlite, cosmos (got 'postgres');"
        " MAYFLY_GROUPS_MAX must be a whole number of at least 1 (got '0')"
    )


def test_keys_are_shown_neither_by_the_settings_nor_by_an_error(tmp_path: Path) -> None:
    keys = {"MAYFLY_LOG_WORKSPACE_KEY": "hunter2", "MAYFLY_COSMOS_KEY": "hunter2", "MAYFLY_REPORT_KEY": "hunter2" * 5}
    environment = {"MAYFLY_DATA": str(tmp_path), **ACI, **keys}
    assert "hunter2" not in repr(read_settings(environment))
    for wrong in ({"MAYFLY_STORE": "postgres"}, {"MAYFLY_REPORT_KEY": "hunter2"}):
        with pytest.raises(SettingInvalid) as raised:
            read_settings({**environment, **wrong})
        assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_the_queue_has_a_name_if_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_QUEUE", "mine")
    assert queue_name() == "mine"
    monkeypatch.setenv("MAYFLY_QUEUE", "")
    assert queue_name() is None


def test_the_cosmos_store_has_an_address_and_a_key_only_if_one_is_given(tmp_path: Path) -> None:
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


def test_a_reader_knows_its_stores_and_the_prices_if_containers_cost_something(tmp_path: Path) -> None:
    environment = {"MAYFLY_DATA": str(tmp_path)}
    here = read_store_settings(environment)
    assert (here.store, here.cosmos_endpoint) == ("sqlite", None)
    assert here.prices == Prices(cpu_hour=0.0, memory_gb_hour=0.0)
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
    assert there.prices == Prices(cpu_hour=0.05, memory_gb_hour=0.00445)
    assert "a key" not in repr(there)


def test_the_public_url_has_no_slash_at_its_end(tmp_path: Path) -> None:
    settings = read_settings({"MAYFLY_DATA": str(tmp_path), "MAYFLY_PUBLIC_URL": "https://mayfly.test/"})
    assert settings.public_url == "https://mayfly.test"


def test_the_key_is_generated_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    environment = {"MAYFLY_DATA": str(tmp_path / "data")}
    first = read_settings(environment).report_key
    assert read_settings(environment).report_key == first
    assert len(first) >= KEY_BYTES_MIN
    assert stat.S_IMODE((tmp_path / "data" / "report.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["report.key"]


def test_two_data_folders_have_two_keys(tmp_path: Path) -> None:
    keys = {read_settings({"MAYFLY_DATA": str(tmp_path / name)}).report_key for name in ("a", "b")}
    assert len(keys) == 2


def test_concurrent_readers_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: read_settings({"MAYFLY_DATA": str(tmp_path)}).report_key, range(32)))
    assert len(set(keys)) == 1
