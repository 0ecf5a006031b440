"""Read and check the worker's environment variables, once; an error names the variable."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED = ("MESSAGE", "CONTAINER_NAME", "MAYFLY_JOB_ID", "MAYFLY_ATTEMPT", "MAYFLY_REPORT_URL", "MAYFLY_REPORT_TOKEN")
SECRET = "MAYFLY_REPORT_TOKEN"  # noqa: S105 - the name of a variable, not its value


class BadEnvironment(Exception):
    """A variable is missing or invalid. The text never contains the value of `MAYFLY_REPORT_TOKEN`."""


class ReportAddress:
    """The URL for reports, in parts.

    Shapes: `scheme` is http or https; `authority` is host and port as in the URL; `target` is the path with its query.
    """

    def __init__(self, scheme: str, authority: str, host: str, port: int, target: str) -> None:
        self.scheme = scheme
        self.authority = authority
        self.host = host
        self.port = port
        self.target = target


class Environment:
    """The settings of one start.

    Shapes: `command_env` is every variable except the token.
    Units: seconds and bytes, as the names say; `heartbeat_s` and `log_bytes_max` are 0 for never.
    Errors: `BadEnvironment`.
    Source: docs/worker-contract.md.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        missing = [name for name in REQUIRED if name not in values]
        if missing:
            raise BadEnvironment(f"missing environment variables: {', '.join(missing)}")
        self.message = values["MESSAGE"]
        self.address = parse_address(values["MAYFLY_REPORT_URL"])
        self.token = values[SECRET]
        if not self.token or not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise BadEnvironment(f"{SECRET} must be printable ASCII characters without spaces")
        self.work_s = _number(values, "MAYFLY_WORK_SECONDS", 5.0)
        self.report_s = _number(values, "MAYFLY_REPORT_SECONDS", 900.0)
        # A host older than the heartbeat's name sets only the second one.
        self.heartbeat_s = _number(values, "MAYFLY_HEARTBEAT_SECONDS", _number(values, "MAYFLY_ALIVE_SECONDS", 0.0))
        self.log_bytes_max = int(_number(values, "MAYFLY_LOG_BYTES_MAX", 0.0))
        self.secret_names = values.get("MAYFLY_SECRET_NAMES", "")
        self.command_env = {name: value for name, value in values.items() if name != SECRET}


def parse_address(url: str) -> ReportAddress:
    """Split an http or https URL into its parts.

    Errors: `BadEnvironment`.

    >>> address = parse_address("http://[::1]:7071/api/jobs/a/reports?x=1#y")
    >>> address.host, address.port, address.target
    ('::1', 7071, '/api/jobs/a/reports?x=1')
    """
    scheme, _, rest = url.partition("#")[0].partition("://")
    scheme = scheme.lower()
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    authority, target = rest[:cut], rest[cut:]
    host, colon, digits = authority.rpartition(":")
    if not colon or digits.endswith("]"):
        host, digits = authority, ""
    usable = scheme in ("http", "https") and host and "@" not in authority and url.isascii() and url.isprintable()
    if not usable or " " in url or not (digits.isdigit() or not digits):
        raise BadEnvironment(f"MAYFLY_REPORT_URL must be a complete http or https URL (got {url!r})")
    port = int(digits) if digits else {"http": 80, "https": 443}[scheme]
    return ReportAddress(scheme, authority, host.strip("[]"), port, target if target[:1] == "/" else "/" + target)


def _number(values: Mapping[str, str], name: str, default: float) -> float:
    text = values.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e12:
        raise BadEnvironment(f"{name} must be a number, 0 or more (got {text!r})")
    return number
