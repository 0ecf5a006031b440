"""The read service over stores that are opened read-only, and the HTTP API for every change.

The read service is asynchronous, and a page is not. One event loop in a separate thread serves all sessions, so that
each store has one connection that runs its statements one at a time.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
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

Answer = TypeVar("Answer")


class ReadService:
    """The read service for pages that cannot wait for coroutines."""

    def __init__(self, stores: ReadStores) -> None:
        self.stores = stores
        self.reader = Reader(stores)
        self.overview = Overview(stores, stores.stats)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="read service", daemon=True).start()

    def ask(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine of the read service and return its result.

        Errors: those of the coroutine; `TryAgain` if there is no answer in time.
        """
        answer = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return answer.result(_READ_WITHIN_S)
        except TimeoutError as error:
            answer.cancel()
            raise TryAgain(f"the store did not answer within {_READ_WITHIN_S:g} s") from error


@st.cache_resource(show_spinner=False)
def read_service() -> ReadService:
    """Return the read service of this server."""
    return ReadService(compose_read_only(read_store_settings()))


@st.cache_resource(show_spinner=False)
def api() -> Api:
    """Return the client for the API. It reads a local host's key for each request, because the host may start later."""
    url = os.environ.get("MAYFLY_URL", DEFAULT_URL)
    return connect(url, os.environ.get("MAYFLY_KEY"), source="dashboard", patience_s=_PATIENCE_S)


def principal() -> str | None:
    """Return the name of the signed-in user; None without a platform that authenticates users.

    It is only shown and grants nothing, because it is trustworthy only if every request passes the platform.

    Source: App Service and Container Apps authentication, header X-MS-CLIENT-PRINCIPAL-NAME.
    """
    name: str | None = st.context.headers.get("X-MS-CLIENT-PRINCIPAL-NAME")
    return name
