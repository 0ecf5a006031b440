"""Classify the errors of starting a process on this machine, by their consequence for the job."""

from __future__ import annotations

import errno

from mayfly.containers.runtime import GroupRefused
from mayfly.jobs.refusal import Refusal

_EXHAUSTED = {
    errno.EAGAIN: "too many processes: raise `ulimit -u`, or run fewer jobs at once",
    errno.ENOMEM: "out of memory: run fewer jobs at once",
    errno.EMFILE: "too many open files: raise `ulimit -n`",
    errno.ENFILE: "too many open files on this machine",
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space",
}
_PERMANENT = {
    errno.ENOENT: "/bin/sh is missing: Mayfly needs it to run jobs on this machine",
    errno.E2BIG: "command and environment are larger than the system allows: pass a reference to the data",
    errno.EACCES: "check the permissions of the data folder and of /bin/sh",
}
_RETRY_AFTER_S = 5.0


def refusal_of(error: OSError | ValueError) -> GroupRefused:
    """Return the refusal for an error: an exhausted resource is worth waiting for, everything else is permanent.

    >>> refusal = refusal_of(OSError(errno.EAGAIN, "Resource temporarily unavailable")).refusal
    >>> refusal.kind, refusal.code, refusal.retry_after_s
    ('wait', 'EAGAIN', 5.0)
    """
    number = error.errno if isinstance(error, OSError) else None
    code = errno.errorcode.get(number or 0, type(error).__name__)
    if hint := _EXHAUSTED.get(number or 0):
        refusal = Refusal(kind="wait", code=code, message=str(error), hint=hint, retry_after_s=_RETRY_AFTER_S)
    else:
        hint = _PERMANENT.get(number or 0, "command and environment must be text without NUL")
        refusal = Refusal(kind="permanent", code=code, message=str(error), hint=hint)
    return GroupRefused(refusal)
