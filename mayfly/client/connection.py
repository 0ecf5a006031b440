"""Find the API: its URL, and the function key of a local host."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mayfly.client.api import Api, is_loopback
from mayfly.client.errors import BadRequest
from mayfly.jobs.events import Source

DEFAULT_URL = "http://127.0.0.1:7071"
DEFAULT_DATA = Path(".mayfly")


def connect(url: str, key: str | None, *, source: Source = "cli", patience_s: float = 30.0) -> Api:
    """Return a client for a URL; without a key, it uses the key of the local host."""
    data = Path(os.environ.get("MAYFLY_DATA", DEFAULT_DATA))
    # The key is read for each request, because a host that is starting creates its keys before it answers.
    given = key if key is not None or not is_loopback(url) else lambda: local_key(data)
    return Api(url, given, source=source, patience_s=patience_s)


def keys_path(data: Path) -> Path:
    """Return where the local host of a data folder keeps its keys."""
    return data / "host" / "keys.json"


def local_key(data: Path) -> str | None:
    """Return the function key of the local host with that data folder; None if there is no such file.

    Shapes: the file is `{"host": {"default": KEY}, ...}` (local_host/web/keys.py).
    Errors: `BadRequest` if the file cannot be read.
    """
    path = keys_path(data)
    try:
        key: str = json.loads(path.read_text(encoding="utf-8"))["host"]["default"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadRequest(f"{path} does not contain the local host's keys ({error})") from error
    return key
