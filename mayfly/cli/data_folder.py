"""Check the local host's data folder before anything starts, so that a bad one gives one sentence and no traceback."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from mayfly.client.errors import BadRequest

_TRIAL_BYTES = 1 << 20
"""More than the files of a first start need."""
_CHOOSE = "choose another folder with --data"


def prepare(data: Path) -> None:
    """Create a data folder, and check that it and its files can be written. Errors: `BadRequest`, with the fix."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=data) as trial:
            trial.write(bytes(_TRIAL_BYTES))
            trial.flush()
        refused = [path for path in data.iterdir() if not os.access(path, os.R_OK | os.W_OK) and path.exists()]
    except FileExistsError as error:
        raise BadRequest(f"{data} is a file, but Mayfly needs a folder there", [_CHOOSE]) from error
    except OSError as error:
        fix = "free some space" if error.errno == errno.ENOSPC else "change its owner"
        raise BadRequest(f"{data} cannot be written ({error.strerror})", [f"{fix}, or {_CHOOSE}"]) from error
    if refused:
        fix = f"change its owner, or {_CHOOSE}"
        raise BadRequest(f"{refused[0]} belongs to another user and cannot be written", [fix])
