"""Run one query and collect all of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import AzureError

from mayfly.cosmos.account import CosmosAccount, charge_of, translated


async def query(
    account: CosmosAccount,
    container: str,
    failure: str,
    operation: str,
    text: str,
    parameters: Mapping[str, object] | None = None,
    *,
    partition_key: str | None = None,
) -> list[Any]:
    """Return everything that a query finds.

    Shapes: `parameters`: `@name` to value. `partition_key` None: query every partition. `failure` begins the text of an
    error, and the charge is recorded under `operation`.
    Errors: see `translated`.
    """
    target = await account.container(container)
    scope = {} if partition_key is None else {"partition_key": partition_key}
    try:
        found = target.query_items(
            text,
            parameters=[{"name": name, "value": value} for name, value in (parameters or {}).items()],
            response_hook=charge_of(container, operation),
            **scope,
        )
        return [item async for item in found]
    except AzureError as error:
        raise translated(error, failure) from error
