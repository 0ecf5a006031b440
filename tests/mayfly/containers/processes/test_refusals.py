"""Errors of starting a process: exhausted resources are worth waiting for, everything else is permanent."""

from __future__ import annotations

import errno
import os

import pytest

from mayfly.containers.processes.refusals import refusal_of
from mayfly.jobs.refusal import RefusalKind


@pytest.mark.parametrize(
    ("number", "kind", "hint"),
    [
        (errno.EAGAIN, "wait", "ulimit -u"),
        (errno.ENOMEM, "wait", "out of memory"),
        (errno.EMFILE, "wait", "ulimit -n"),
        (errno.ENOSPC, "wait", "free some space"),
        (errno.E2BIG, "permanent", "larger than the system allows"),
        (errno.ENOENT, "permanent", "/bin/sh"),
        (errno.EACCES, "permanent", "permissions"),
        (errno.EIO, "permanent", "NUL"),
    ],
)
def test_a_system_error_has_a_kind_its_code_and_a_hint(number: int, kind: RefusalKind, hint: str) -> None:
    refusal = refusal_of(OSError(number, os.strerror(number))).refusal
    assert (refusal.kind, refusal.code) == (kind, errno.errorcode[number])
    assert hint in refusal.hint
    assert (refusal.retry_after_s is None) == (kind == "permanent")


def test_an_invalid_argument_is_permanent() -> None:
    refusal = refusal_of(ValueError("embedded null byte")).refusal
    assert (refusal.kind, refusal.code, refusal.message) == ("permanent", "ValueError", "embedded null byte")
