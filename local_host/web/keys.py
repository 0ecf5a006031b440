"""Who may call what? The host's keys: a file in the data directory, made at the first start.

As in Azure: the master key opens everything, the default function key every function of level `function`, a key of a
function only that function, and the system key only the durable management API. A key comes in the header
`x-functions-key` or in the query as `code`.

The file holds the keys themselves, so only its owner may read it.

Source: learn.microsoft.com/azure/azure-functions/function-keys-how-to.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local_host.errors import Refused
from local_host.web.wire import Request

ANONYMOUS = "anonymous"
FUNCTION = "function"
ADMIN = "admin"


class Keys:
    """The keys of one host.

    Shapes of the file: `{"master": K, "host": {"default": K}, "system": {"durabletask_extension": K}, "functions":
    {"Name": {"any label": K}}}`; the last may be added by hand.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.master: str = content["master"]
        self.default_function: str = content["host"]["default"]
        self.durable_system: str = content["system"]["durabletask_extension"]
        self._host = list(content["host"].values())
        self._functions: dict[str, dict[str, str]] = content.get("functions", {})

    @classmethod
    def load_or_create(cls, path: Path) -> Keys:
        """Read the file, or make it with fresh keys. Errors: `Refused` when it is not what we wrote."""
        if not path.exists():
            _write(path, _fresh())
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise Refused(f"{path} does not hold the host's keys ({fault}). Delete it to get fresh ones.") from fault

    def open(self, level: str, request: Request, *, function: str | None = None) -> bool:
        """Say whether the request carries a key for something of that level."""
        if level == ANONYMOUS:
            return True
        given = _given(request)
        if level == ADMIN:
            return _among(given, [self.master])
        own = self._functions.get(function, {}).values() if function is not None else ()
        return _among(given, [self.master, *self._host, *own])

    def open_durable(self, request: Request) -> bool:
        return _among(_given(request), [self.master, self.durable_system])


def _fresh() -> dict[str, Any]:
    return {
        "master": secrets.token_urlsafe(40),
        "host": {"default": secrets.token_urlsafe(40)},
        "system": {"durabletask_extension": secrets.token_urlsafe(40)},
        "functions": {},
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    # A half-written file must not be taken for the keys: written beside, then renamed.
    beside = path.with_suffix(".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    beside.replace(path)


def _given(request: Request) -> str | None:
    return request.headers.get("x-functions-key") or request.query.get("code")


def _among(given: str | None, keys: Iterable[str]) -> bool:
    if not given:
        return False
    # Every key is compared in constant time, so that the time tells nothing about any of them.
    found = False
    for key in keys:
        found = hmac.compare_digest(given.encode(), key.encode()) or found
    return found
