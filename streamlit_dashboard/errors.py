"""Errors on a page: what failed, how to fix it, and whether the page retries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mayfly.client.errors import BadRequest, ClientError, Unreachable
from mayfly.errors import Rejected, TryAgain


@contextmanager
def shows_errors(failure: str, *, retries: bool = False) -> Iterator[None]:
    """Render an error in place of this block's content and keep rendering the page.

    `failure`: what failed, as a sentence without a period. `retries`: the caller runs again automatically.
    """
    try:
        yield
    except TryAgain as error:
        _warn(f"{failure}: {error}.", "The store may be down, or it is still being created.", retries)
    except Unreachable as error:
        _warn(f"{failure}: {error.text}.", " ".join(f"{line[:1].upper()}{line[1:]}." for line in error.lines), retries)
    except (BadRequest, ClientError) as error:
        st.error("\n\n".join([f"{failure}: {error.text}", *error.lines]), icon=":material/error:")
    except Rejected as error:
        st.error(f"{failure}: {error}", icon=":material/error:")


def _warn(failure: str, fix: str, retries: bool) -> None:
    next_step = "This page retries automatically." if retries else "Nothing is lost; try again."
    st.warning(f"**{failure}** {fix} {next_step}", icon=":material/cloud_off:")
