"""Who may call what? The host's keys are in a file in the data directory, which the first start creates.

As in Azure, the master key allows everything, the default function key allows every function of level `function`, a
function's own key allows that function, and the system key allows the durable management API. Clients send a key in the
header `x-functions-key` or in the query parameter `code`.

The file contains the keys in plain text, so only its owner may read it.

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

from starlette.requests import Request

from local_host.errors import StartupError

ANONYMOUS = "anonymous"
FUNCTION = "function"
ADMIN = "admin"


class Keys:
    """The keys of one host.

    Shapes: the file holds `{"master": KEY, "host": {"default": KEY}, "system": {"durabletask_extension": KEY},
    "functions": {"Name": {"any label": KEY}}}`. Its owner may add keys for single functions.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.master: str = content["master"]
        self.default_function: str = content["host"]["default"]
        self.durable_system: str = content["system"]["durabletask_extension"]
        self._host = list(content["host"].values())
        self._functions: dict[str, dict[str, str]] = content.get("functions", {})

    @classmethod
    def load_or_create(cls, path: Path) -> Keys:
        """Read the file, or create it with new keys. Errors: `StartupError` if its content is invalid."""
        if not path.exists():
            _create(path)
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StartupError(
                f"{path} does not contain host keys ({error!r}). Delete it to create new ones."
            ) from error

    def allow(self, level: str, request: Request, *, function: str | None = None) -> bool:
        """Return whether the request has a key for this level, or for this function."""
        if level == ANONYMOUS:
            return True
        given = _given(request)
        if level == ADMIN:
            return _among(given, [self.master])
        own = self._functions.get(function, {}).values() if function is not None else ()
        return _among(given, [self.master, *self._host, *own])

    def allow_management(self, request: Request) -> bool:
        """Return whether the request has a key for the durable management API."""
        return _among(_given(request), [self.master, self.durable_system])


def _create(path: Path) -> None:
    content = {
        "master": secrets.token_urlsafe(40),
        "host": {"default": secrets.token_urlsafe(40)},
        "system": {"durabletask_extension": secrets.token_urlsafe(40)},
        "functions": {},
    }
    # Write a temporary file and rename it, so that a crash never leaves half a file.
    temporary = path.with_suffix(".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    temporary.replace(path)


def _given(request: Request) -> str | None:
    return request.headers.get("x-functions-key") or request.query_params.get("code")


def _among(given: str | None, keys: Iterable[str]) -> bool:
    if not given:
        return False
    # Compare every key in constant time, so that the response time reveals nothing about them.
    matches = [hmac.compare_digest(given.encode(), key.encode()) for key in keys]
    return any(matches)
