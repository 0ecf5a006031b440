"""Missing extras are an error that names the command which installs them."""

from __future__ import annotations

import sys

import pytest

from mayfly.cli.extras import require_adapters
from mayfly.client.errors import BadRequest
from mayfly.settings import read_settings


def test_settings_that_need_an_extra_which_is_not_installed_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings({"MAYFLY_KEY_VAULT": "https://vault.example", "MAYFLY_REPORT_KEY": "k" * 32})
    require_adapters(settings)
    monkeypatch.setitem(sys.modules, "azure.keyvault", None)
    monkeypatch.delitem(sys.modules, "azure.keyvault.secrets", raising=False)
    with pytest.raises(
        BadRequest, match=r"your settings need packages that are not installed: azure\.keyvault\.secrets"
    ):
        require_adapters(settings)
