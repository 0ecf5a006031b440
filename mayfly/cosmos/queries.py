"""One query with all of its pages: what every reader of a container does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import AzureError

from mayfly.cosmos.account import CosmosAccount, charge_of, translated


async def query(
    account: CosmosAccount,
    container: str,
    trouble: str,
    operation: str,
    text: str,
    parameters: Mapping[str, object] | None = None,
    *,
    partition_key: str | None = None,
) -> list[Any]:
    """Return all that a query finds; without a partition key it asks every partition.

    Shapes: `parameters`: `@name` to value. `trouble` is what an error begins with, `operation` what its charge is
    recorded under.
    Errors: as `translated` has them.
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
        raise translated(error, trouble) from error
