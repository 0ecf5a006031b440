"""Which instance ids does Durable Functions take?

Source: Azure/azure-functions-durable-extension.
"""

from __future__ import annotations

from local_host.errors import BadInstanceId


def require_good_id(instance_id: str) -> None:
    """Errors: `BadInstanceId`, saying what is wrong."""
    if len(instance_id) > _ID_CHARACTERS_MAX:
        raise BadInstanceId(f"instance id must have at most {_ID_CHARACTERS_MAX} characters (got {len(instance_id)})")
    if instance_id.startswith("@"):
        raise BadInstanceId(f"instance id must not start with '@', which names entities (got '{instance_id}')")
    bad = sorted({c for c in instance_id if c in "/\\#?" or ord(c) < 32 or 127 <= ord(c) < 160})
    if bad:
        raise BadInstanceId(f"instance id must not contain {bad} (got {instance_id!r})")


# Source: the extension's MaxInstanceIdLength; the documentation says 100, and Azure Storage takes 100.
_ID_CHARACTERS_MAX = 100
