"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

Url = Annotated[str, Option("--url", envvar="MAYFLY_URL", help="URL of the API, without `/api`.")]
Key = Annotated[
    str | None,
    Option(
        "--key",
        envvar="MAYFLY_KEY",
        show_envvar=True,
        help="Function key. For a local host, it is read from the data folder.",
    ),
]
AsJson = Annotated[bool, Option("--json", help="Print JSON instead of text.")]
Data = Annotated[Path, Option("--data", envvar="MAYFLY_DATA", help="Data folder of the local host.")]
