"""May this request come in at all? Not if a web page of another site caused it.

Every page in a browser on this machine can send requests to a host on loopback. Three checks reject them before a key
is checked or a function runs:

- `Host` must name loopback and this port. A page whose own name resolves to 127.0.0.1 (DNS rebinding) sends its name.
- `Origin`, if present, must be this host's own. Browsers send it with every cross-origin request of a page, except for
  plain images and links.
- `Sec-Fetch-Site`, if present, must not be `cross-site`, unless a person follows a link. Current browsers send it with
  every request, including images.

With `allow_remote`, clients may use any host name, and the origin must be the name that they used.

Source: RFC 9110 7.2, RFC 6454 7, www.w3.org/TR/fetch-metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """Checks the headers of requests. Shapes: `port` is the port that the host listens on."""

    port: int
    allow_remote: bool = False

    def rejection(self, headers: Mapping[str, str]) -> str | None:
        """Return why a request with these headers is rejected, or `None`. Shapes: names are in lower case.

        >>> Guard(port=7071).rejection({"host": "localhost:7071"}) is None
        True
        >>> Guard(port=7071).rejection({"host": "evil.example:7071"})
        "the Host header must be 127.0.0.1, localhost or [::1] with port 7071 (got 'evil.example:7071')"
        """
        host, origin = headers.get("host"), headers.get("origin")
        if not self.allow_remote and not self._is_ours(host):
            return f"the Host header must be 127.0.0.1, localhost or [::1] with port {self.port} (got {host!r})"
        if origin is not None and not self._is_own_origin(host, origin):
            return f"requests from web pages of other origins are not allowed (Origin is {origin!r})"
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return "requests from web pages of other sites are not allowed (Sec-Fetch-Site is 'cross-site')"
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
