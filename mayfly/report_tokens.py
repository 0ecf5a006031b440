"""The worker's credential: it is valid for one attempt of one job, for a limited time, and for nothing else.

A JSON Web Token (RFC 7519), signed with HMAC-SHA256. A worker never receives the management key of the task
hub, which would grant access to every instance.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import jwt

from mayfly.errors import Unauthorized

_AUDIENCE = "mayfly-report"
_ALGORITHM = "HS256"
KEY_BYTES_MIN = 32
"""Source: RFC 7518 section 3.2: a key as long as the hash."""


class ReportTokens:
    """Sign and check report tokens with one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"the report key must be at least {KEY_BYTES_MIN} bytes (got {len(key)})")
        self._key = key

    def sign(self, job_id: str, attempt: int, *, now: datetime, lifetime_s: float) -> str:
        """Return a token for one attempt of a job."""
        claims = {"aud": _AUDIENCE, "sub": job_id, "att": attempt, "exp": now + timedelta(seconds=lifetime_s)}
        return jwt.encode(claims, self._key, _ALGORITHM)

    def check(self, authorization: str | None, job_id: str, *, now: datetime) -> int:
        """Return the attempt that the header's bearer token speaks for.

        Errors: `Unauthorized`: 401 for a missing, invalid or expired token, 403 for the token of another job.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("send the token of MAYFLY_REPORT_TOKEN as `Authorization: Bearer TOKEN`", status=401)
        options = {"verify_exp": False, "require": ["exp", "sub", "att"]}  # checked below against `now`
        try:
            claims = jwt.decode(token, self._key, [_ALGORITHM], audience=_AUDIENCE, options=options)  # type: ignore[arg-type]
        except jwt.InvalidTokenError as error:
            raise Unauthorized("the token was not signed by this Mayfly", status=401) from error
        if now.timestamp() >= float(claims["exp"]):
            raise Unauthorized("the token has expired: the attempt's deadlines are over", status=401)
        if claims["sub"] != job_id:
            raise Unauthorized("the token belongs to another job", status=403)
        return int(claims["att"])
