"""A separate data folder for a drill: temporary, and kept only after a failure."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from mayfly.cli.data_folder import prepare
from mayfly.client.errors import BadRequest


class ScratchDir:
    """An empty folder. `done(ok=True)` removes it if it is temporary."""

    def __init__(self, named: Path | None, prefix: str) -> None:
        """Create the folder, or use an empty one that the caller chose.

        Errors: `BadRequest` if it cannot be created or is not empty.
        """
        self._temporary = named is None
        if named is None:
            try:
                self.path = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
            except OSError as error:
                raise BadRequest(
                    f"cannot create a temporary folder: {error}", ["choose a folder with --data"]
                ) from error
            return
        self.path = named.resolve()
        prepare(self.path)
        if any(self.path.iterdir()):
            raise BadRequest(f"--data {named} is not empty; choose an empty or a new folder")

    @property
    def host_log(self) -> Path:
        """The file for the host's output."""
        return self.path / "host.log"

    def done(self, *, ok: bool) -> None:
        """Remove the folder after a good run; otherwise print where it is."""
        if self._temporary and ok:
            shutil.rmtree(self.path, ignore_errors=True)
        elif not ok:
            print(f"all files are kept in {self.path}; the host's output is in {self.host_log.name}{os.linesep}")
