"""May this request come in at all? Not if a web page had a hand in it.

A host on loopback can be reached by every page that a browser on the same machine shows. Three checks keep pages out,
before any key is looked at and any function runs:

- `Host` must name loopback and our port. A page whose own name was pointed at 127.0.0.1 (DNS rebinding) sends its name.
- `Origin`, when there is one, must be our own. Browsers send it with every request that a page makes across origins,
  except when they merely fetch a picture or follow a link.
- `Sec-Fetch-Site`, when there is one, must not be another site's, unless a person follows a link. Current browsers send
  it with everything, pictures included.

With `allow_remote` the host may be called by any name; then the origin must be the name that was called.

Source: RFC 9110 7.2, RFC 6454 7, www.w3.org/TR/fetch-metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    port: int
    allow_remote: bool = False

    def objection(self, headers: Mapping[str, str]) -> str | None:
        """Return what speaks against a request with these headers (names in lower case), or `None`.

        >>> Guard(port=7071).objection({"host": "localhost:7071"}) is None
        True
        >>> Guard(port=7071).objection({"host": "evil.example:7071"})
        "the Host header must be 127.0.0.1, localhost or [::1] with port 7071 (got 'evil.example:7071')"
        """
        host, origin = headers.get("host"), headers.get("origin")
        if not self.allow_remote and not self._is_ours(host):
            return f"the Host header must be 127.0.0.1, localhost or [::1] with port {self.port} (got {host!r})"
        if origin is not None and not self._is_own_origin(host, origin):
            return f"requests that a web page of another origin makes are not answered (Origin is {origin!r})"
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return "requests that a web page of another site makes are not answered (Sec-Fetch-Site is cross-site)"
        return None

    def _is_ours(self, host: str | None) -> bool:
        if host is None:
            return False
        name, port = _split(host)
        return name.lower() in LOOPBACK_NAMES and port == str(self.port)

    def _is_own_origin(self, host: str | None, origin: str) -> bool:
        scheme, separator, authority = origin.partition("://")
        if not separator or scheme != "http":
            return False
        return authority == host if self.allow_remote else self._is_ours(authority)


def _split(authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        name, _, rest = authority.partition("]")
        return name + "]", rest.removeprefix(":") or "80"
    name, _, port = authority.partition(":")
    return name, port or "80"
