"""A local host in a separate data folder for a drill: temporary, and kept only after a failure."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from typer import Option

from drills.orphans import kill_jobs
from mayfly.cli.data_folder import prepare
from mayfly.cli.host_process import LocalHost, free_port
from mayfly.client.errors import BadRequest

Folder = Annotated[Path | None, Option("--data", help="An empty folder to use and keep. Default: a temporary folder.")]


@contextmanager
def scratch_host(named: Path | None, prefix: str) -> Iterator[LocalHost]:
    """Yield a host of an empty folder, not started; kill the jobs that it leaves, and print where a failure is kept.

    Errors: `BadRequest` if the folder cannot be created or is not empty.
    """
    path = _temporary(prefix) if named is None else named.resolve()
    prepare(path)
    if any(path.iterdir()):
        raise BadRequest(f"--data {named} is not empty; choose an empty or a new folder")
    host = LocalHost(path, free_port(), log=path / "host.log", clean_settings=True)
    try:
        yield host
    except BaseException:
        print(f"all files are kept in {path}; the host's output is in host.log\n")
        raise
    finally:
        kill_jobs(path)
    if named is None:
        shutil.rmtree(path, ignore_errors=True)


def _temporary(prefix: str) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=prefix)).resolve()
    except OSError as error:
        raise BadRequest(f"cannot create a temporary folder: {error}", ["choose a folder with --data"]) from error
