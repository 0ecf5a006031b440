"""The worker's environment: every invalid value is rejected by the name of its variable."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.worker.conftest import TOKEN
from worker.environment import REQUIRED, BadEnvironment, Environment, parse_address


def test_the_defaults_are_those_of_the_contract(environment: dict[str, str]) -> None:
    read = Environment(environment)
    assert (read.message, read.token, read.secret_names) == ("hello", TOKEN, "")
    assert (read.report_s, read.work_s, read.heartbeat_s, read.log_bytes_max) == (900, 5, 0, 0)


def test_the_command_gets_every_variable_but_the_token(environment: dict[str, str]) -> None:
    given = Environment({**environment, "EXTRA": "more"}).command_env
    assert given == {**{name: value for name, value in environment.items() if value != TOKEN}, "EXTRA": "more"}


def test_all_missing_variables_are_named() -> None:
    with pytest.raises(BadEnvironment) as raised:
        Environment({})
    assert all(name in str(raised.value) for name in REQUIRED)


@pytest.mark.parametrize(
    ("variables", "heartbeat_s"),
    [
        ({"MAYFLY_HEARTBEAT_SECONDS": "60"}, 60),
        ({"MAYFLY_ALIVE_SECONDS": "45"}, 45),
        ({"MAYFLY_HEARTBEAT_SECONDS": "60", "MAYFLY_ALIVE_SECONDS": "45"}, 60),
        ({"MAYFLY_HEARTBEAT_SECONDS": "0", "MAYFLY_ALIVE_SECONDS": "45"}, 0),
    ],
)
def test_heartbeats_use_the_current_name_or_else_the_former_one(
    environment: dict[str, str], variables: dict[str, str], heartbeat_s: float
) -> None:
    assert Environment({**environment, **variables}).heartbeat_s == heartbeat_s


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAYFLY_REPORT_URL", "ftp://host/"),
        ("MAYFLY_REPORT_URL", "/api"),
        ("MAYFLY_REPORT_URL", "http://user:word@host/"),
        ("MAYFLY_REPORT_URL", "http://host/a b"),
        ("MAYFLY_REPORT_URL", "http://host/\r\nX: y"),
        ("MAYFLY_REPORT_URL", "http://:80/"),
        ("MAYFLY_REPORT_URL", "http://host:port/"),
        ("MAYFLY_REPORT_TOKEN", "two words"),
        ("MAYFLY_REPORT_TOKEN", "line\r\nX: y"),
        ("MAYFLY_REPORT_TOKEN", ""),
        ("MAYFLY_WORK_SECONDS", "soon"),
        ("MAYFLY_WORK_SECONDS", "-1"),
        ("MAYFLY_WORK_SECONDS", "nan"),
        ("MAYFLY_REPORT_SECONDS", "inf"),
        ("MAYFLY_HEARTBEAT_SECONDS", "often"),
        ("MAYFLY_ALIVE_SECONDS", "often"),
    ],
)
def test_an_invalid_value_is_rejected(environment: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(BadEnvironment, match=name) as raised:
        Environment({**environment, name: value})
    if name == "MAYFLY_REPORT_TOKEN" and value:
        assert value not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://host", ("host", "host", 80, "/")),
        ("HTTPS://host?code=1", ("host", "host", 443, "/?code=1")),
        ("http://host:7071/a/b?c=d&e=/f", ("host:7071", "host", 7071, "/a/b?c=d&e=/f")),
        ("http://[::1]/x", ("[::1]", "::1", 80, "/x")),
        ("https://[::1]:8443/x#part", ("[::1]:8443", "::1", 8443, "/x")),
    ],
)
def test_an_address_is_split_into_its_parts(url: str, parts: Sequence[object]) -> None:
    address = parse_address(url)
    assert (address.authority, address.host, address.port, address.target) == parts
