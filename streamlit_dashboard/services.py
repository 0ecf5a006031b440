"""The read service over stores that are opened read-only, and the HTTP API for every change.

The read service is asynchronous, and a page is not. One event loop in a separate thread serves all sessions, so that
each store has one connection that runs its statements one at a time.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import streamlit as st

from mayfly.app import ReadStores
from mayfly.client.api import Api
from mayfly.client.connection import DEFAULT_URL, connect
from mayfly.composition import compose_read_only
from mayfly.errors import TryAgain
from mayfly.settings import read_store_settings
from mayfly.use_cases.overview import Overview
from mayfly.use_cases.read import Reader

_READ_WITHIN_S = 15.0
_PATIENCE_S = 4.0
"""How long an action is retried before the page reports that the API does not answer."""
_OWN_MAX = 5
"""How many jobs submitted in this session are shown before they are in the views."""

Answer = TypeVar("Answer")


@st.cache_resource(show_spinner=False)
def stores() -> ReadStores:
    """Return the stores that this server reads."""
    return compose_read_only(read_store_settings())


def reader() -> Reader:
    """Return the read service for single jobs and pages of jobs."""
    return Reader(stores())


def overview() -> Overview:
    """Return the read service for all jobs at once."""
    return Overview(stores())


def ask(question: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine of the read service and return its result.

    Errors: those of the coroutine; `TryAgain` if there is no answer in time.
    """
    answer = asyncio.run_coroutine_threadsafe(question, _loop())
    try:
        return answer.result(_READ_WITHIN_S)
    except TimeoutError as error:
        answer.cancel()
        raise TryAgain(f"the store did not answer within {_READ_WITHIN_S:g} s") from error


@st.cache_resource(show_spinner=False)
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="read service", daemon=True).start()
    return loop


@st.cache_resource(show_spinner=False)
def api() -> Api:
    """Return the client for the API. It reads a local host's key for each request, because the host may start later."""
    url = os.environ.get("MAYFLY_URL", DEFAULT_URL)
    return connect(url, os.environ.get("MAYFLY_KEY"), source="dashboard", patience_s=_PATIENCE_S)


def submit(document: Mapping[str, Any], *, idempotency_key: str) -> str:
    """Submit a job and return its id. The session remembers it, so that the board shows it before the views do."""
    job_id = api().submit(document, idempotency_key=idempotency_key)
    st.session_state["own"] = [job_id, *st.session_state.get("own", [])][:_OWN_MAX]
    return job_id
