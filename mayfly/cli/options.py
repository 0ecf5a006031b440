"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[str, typer.Option("--url", envvar="MAYFLY_URL", help="URL of the API, without `/api`.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="MAYFLY_KEY",
        show_envvar=True,
        help="Function key. For a local host, it is read from the data folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Data = Annotated[Path, typer.Option("--data", envvar="MAYFLY_DATA", help="Data folder of the local host.")]
