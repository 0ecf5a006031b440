"""The settings: each default, each refusal with its name and the mend, and a key that is made once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mayfly.report_tokens import KEY_BYTES_MIN, ReportTokens
from mayfly.settings import SettingInvalid, read_settings


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
        ("MAYFLY_RUNTIME", "docker", "MAYFLY_RUNTIME must be one of processes"),
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
