"""One host per data directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_host.errors import StartupError
from local_host.lock import DirectoryLock


def test_a_directory_has_one_holder_which_is_named_until_it_releases_it(tmp_path: Path) -> None:
    first = DirectoryLock(tmp_path)
    with pytest.raises(StartupError, match=rf"in use by another host \(process {os.getpid()}\).*--data"):
        DirectoryLock(tmp_path)
    first.release()
    DirectoryLock(tmp_path).release()
