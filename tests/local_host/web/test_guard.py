"""Which requests pass the guard."""

from __future__ import annotations

import pytest

from local_host.web.guard import Guard

LOCAL = {"host": "127.0.0.1:7071"}


@pytest.mark.parametrize("host", ["127.0.0.1:7071", "LOCALHOST:7071", "[::1]:7071"])
def test_loopback_names_with_the_port_pass(host: str) -> None:
    assert Guard(port=7071).rejection({"host": host, "origin": f"http://{host}"}) is None


def test_a_name_without_a_port_means_port_80() -> None:
    assert Guard(port=80).rejection({"host": "localhost"}) is None
    assert Guard(port=7071).rejection({"host": "localhost"}) is not None


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ({}, "got None"),
        ({"host": "evil.example:7071"}, "got 'evil.example:7071'"),
        ({"host": "localhost:7071, localhost:7071"}, "got 'localhost:7071, localhost:7071'"),
        ({**LOCAL, "origin": "null"}, "Origin is 'null'"),
        ({**LOCAL, "origin": "https://127.0.0.1:7071"}, "Origin is 'https://127.0.0.1:7071'"),
        ({**LOCAL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}, "Sec-Fetch-Site is 'cross-site'"),
    ],
)
def test_a_rejection_names_the_header_and_its_value(headers: dict[str, str], value: str) -> None:
    rejection = Guard(port=7071).rejection(headers)
    assert rejection is not None
    assert value in rejection


def test_a_link_from_another_site_passes() -> None:
    headers = {**LOCAL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert Guard(port=7071).rejection(headers) is None


def test_a_remote_host_has_any_name_but_only_its_own_origin() -> None:
    guard = Guard(port=7071, allow_remote=True)
    assert guard.rejection({"host": "box.example:7071", "origin": "http://box.example:7071"}) is None
    assert guard.rejection({"host": "box.example:7071", "origin": "http://evil.example"}) is not None
