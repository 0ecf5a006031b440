"""Several writes to one logical partition, all or none: Cosmos DB's transactional batch.

Source: learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch (at most 100 operations and 2 MB; if one operation
fails, the answer is 207 with that operation's status, the others have 424, and nothing is written).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from mayfly.cosmos.account import THROTTLE_TRIES, WRITE_TRIES, Charge

OPERATIONS_MAX = 100

_THROTTLED = (429, 449)


async def send_batch(
    container: ContainerProxy, operations: Sequence[Any], partition_key: str, charge: Charge
) -> Sequence[Mapping[str, Any]]:
    """Carry out the operations and return the result of each.

    Errors: those of the SDK. A `CosmosBatchOperationError` has the status of the failed operation.
    """
    for tried in range(THROTTLE_TRIES):
        try:
            done: Sequence[Mapping[str, Any]] = await container.execute_item_batch(
                operations, partition_key, retry_write=WRITE_TRIES, response_hook=charge
            )
            return done
        except (CosmosBatchOperationError, CosmosHttpResponseError) as error:
            charge(error.headers or {}, None)
            of_one = isinstance(error, CosmosBatchOperationError) and error.status_code in _THROTTLED
            if not of_one or tried + 1 == THROTTLE_TRIES:
                raise
            # The SDK retries a throttled request, but not a throttled operation within a batch.
            await asyncio.sleep(_pause_s(error.headers, tried))
    raise AssertionError("the last try returns or raises")


def _pause_s(headers: Mapping[str, Any] | None, tried: int) -> float:
    retry_after_ms = (headers or {}).get("x-ms-retry-after-ms")
    return float(retry_after_ms) / 1_000 if retry_after_ms else min(0.1 * 2**tried, 5.0)
