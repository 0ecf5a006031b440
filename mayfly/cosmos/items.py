"""Read or delete one item of a container.

A 404 has two meanings in Cosmos DB. Without a sub-status, the item does not exist. With one, the container is missing
or a replica lags behind, and nothing is known about the item (source: azure.cosmos.http_constants.SubStatusCodes).
"""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import AzureError
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from mayfly.cosmos.account import CosmosAccount, charge_of, translated


async def read_item(
    account: CosmosAccount, container: str, failure: str, operation: str, item_id: str, partition_key: str
) -> dict[str, Any] | None:
    """Return an item; None: it does not exist.

    Shapes: `failure` begins the text of an error, such as "the job views could not be read"; the call's charge is
    recorded under `operation`.
    Errors: see `translated`.
    """
    target = await account.container(container)
    try:
        item: dict[str, Any] = await target.read_item(
            item_id, partition_key, response_hook=charge_of(container, operation)
        )
    except AzureError as error:
        if is_missing_item(error):
            return None
        raise translated(error, failure) from error
    return item


async def delete_item(
    account: CosmosAccount, container: str, failure: str, operation: str, item_id: str, partition_key: str
) -> None:
    """Delete an item if it exists; the arguments and errors are those of `read_item`."""
    target = await account.container(container)
    try:
        await target.delete_item(item_id, partition_key, response_hook=charge_of(container, operation))
    except AzureError as error:
        if not is_missing_item(error):
            raise translated(error, failure) from error


def is_missing_item(error: AzureError) -> bool:
    """Say whether an error means that the item does not exist, and nothing worse."""
    return isinstance(error, CosmosResourceNotFoundError) and not error.sub_status
