"""Why a platform will not run a container, and what the caller should do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RefusalKind = Literal["permanent", "retry", "wait", "relocate"]
"""How the caller should respond.

`permanent`: the platform will never accept the spec. `retry`: send the same request again in a few seconds. `wait`: a
quota or a rate is used up, so hold the job. `relocate`: this place has no capacity, so try the next one.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A refused create, from the platform's answer to the event in the log.

    >>> str(Refusal(kind="wait", code="QuotaReached", message="100 of 100 used", hint="ask for more"))
    'QuotaReached: 100 of 100 used (ask for more)'
    """

    kind: RefusalKind
    code: str
    """The platform's own code."""
    message: str
    """The platform's own words."""
    hint: str
    """How a person can fix it."""
    retry_after_s: float | None = None
    """The platform's own retry delay; None: it gives none."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message} ({self.hint})"
