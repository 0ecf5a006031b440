"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[str, typer.Option("--url", envvar="MAYFLY_URL", help="The API's address, without /api.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="MAYFLY_KEY",
        show_envvar=True,
        help="The function key. For a local host it is read from its data folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text for people.")]
Data = Annotated[Path, typer.Option("--data", envvar="MAYFLY_DATA", help="The folder of the local host.")]
