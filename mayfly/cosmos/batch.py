"""Several writes to one logical partition, all or none: Cosmos DB's transactional batch.

Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch (at most 100 operations and 2 MB; when one of them
fails the answer is 207, its status stands at its place, the others are 424, and nothing is written).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from mayfly.cosmos.account import THROTTLE_TRIES, WRITE_TRIES, CosmosAccount, charge_of

OPERATIONS_MAX = 100

_THROTTLED = (429, 449)


async def write_batch(
    account: CosmosAccount, container: str, operations: Sequence[Any], partition_key: str, *, operation: str
) -> Sequence[Mapping[str, Any]]:
    """Carry out the operations, and return what became of each.

    Errors: the SDK's own. A `CosmosBatchOperationError` has the status of the operation that failed. After a lost
    answer the batch is sent again, so that a conflict may be with the batch itself.
    """
    target = await account.container(container)
    hook = charge_of(container, operation)
    for tried in range(THROTTLE_TRIES):
        try:
            done: Sequence[Mapping[str, Any]] = await target.execute_item_batch(
                operations, partition_key, retry_write=WRITE_TRIES, response_hook=hook
            )
            return done
        except (CosmosBatchOperationError, CosmosHttpResponseError) as error:
            hook(error.headers or {}, None)
            of_one = isinstance(error, CosmosBatchOperationError) and error.status_code in _THROTTLED
            if not of_one or tried + 1 == THROTTLE_TRIES:
                raise
            # The SDK waits out a request that was throttled, but not an operation within a batch.
            await asyncio.sleep(_pause_s(error.headers, tried))
    raise AssertionError("the last try returns or raises")


def _pause_s(headers: Mapping[str, Any] | None, tried: int) -> float:
    asked = (headers or {}).get("x-ms-retry-after-ms")
    return float(asked) / 1_000 if asked else min(0.1 * 2**tried, 5.0)
