"""Which instance ids does Durable Functions accept?

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

from local_host.errors import BadInstanceId


def validate_instance_id(instance_id: str) -> None:
    """Accept a valid id. Errors: `BadInstanceId`, naming the fault."""
    if len(instance_id) > _ID_CHARACTERS_MAX:
        raise BadInstanceId(f"instance id must have at most {_ID_CHARACTERS_MAX} characters (got {len(instance_id)})")
    if instance_id.startswith("@"):
        raise BadInstanceId(f"instance id must not start with '@', which marks entities (got '{instance_id}')")
    invalid = sorted({c for c in instance_id if c in "/\\#?" or ord(c) < 32 or 127 <= ord(c) < 160})
    if invalid:
        raise BadInstanceId(f"instance id must not contain {invalid} (got {instance_id!r})")


# Source: MaxInstanceIdLength of the extension. Its documentation and Azure Storage have the same limit.
_ID_CHARACTERS_MAX = 100
