"""What a page says when something does not answer: what failed, what to do, and that the page goes on trying."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mayfly.client.errors import BadRequest, ClientError, Unreachable
from mayfly.errors import Rejected, TryAgain


@contextmanager
def said(doing: str, *, again: bool = False) -> Iterator[None]:
    """Show what goes wrong inside in the place of what would have been drawn, and go on with the page.

    `again`: the caller is run again by itself, and the text says so.
    """
    try:
        yield
    except TryAgain as error:
        _say(f"{doing}: {error}.", "The store may be away or still being made.", again)
    except Unreachable as error:
        _say(f"{doing}: {error.text}.", " ".join(f"{line[:1].upper()}{line[1:]}." for line in error.lines), again)
    except (BadRequest, ClientError) as error:
        st.error("\n\n".join([f"{doing}: {error.text}", *error.lines]), icon=":material/error:")
    except Rejected as error:
        st.error(f"{doing}: {error}", icon=":material/error:")


def _say(what: str, mend: str, again: bool) -> None:
    goes_on = "This page tries again by itself." if again else "Nothing is lost; try again."
    st.warning(f"**{what}** {mend} {goes_on}", icon=":material/cloud_off:")
