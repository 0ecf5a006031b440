"""A data folder of one's own for a run that checks itself: temporary, and kept only when something is wrong."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from mayfly.cli.data_folder import prepare
from mayfly.client.errors import BadRequest


class ScratchDir:
    """An empty folder; `done(ok)` removes it if it is ours and all went well."""

    def __init__(self, named: Path | None, prefix: str) -> None:
        """Make the folder.

        Errors: `BadRequest` when it cannot be made, or the one that was named holds something.
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
            raise BadRequest(f"--data {named} is not empty: this needs a folder of its own")

    @property
    def host_log(self) -> Path:
        """Where the host's own output goes."""
        return self.path / "host.log"

    def done(self, *, ok: bool) -> None:
        """Remove the folder after a good run; say where it is otherwise."""
        if self._temporary and ok:
            shutil.rmtree(self.path, ignore_errors=True)
        elif not ok:
            print(f"everything is kept in {self.path}; the host's own words are in {self.host_log.name}{os.linesep}")
