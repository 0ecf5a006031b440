"""`mayfly up` and `mayfly key`: Mayfly on this machine, without an Azure account or Docker."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

from rich.text import Text
from typer import Option

from mayfly.cli.dashboard_process import start_dashboard
from mayfly.cli.data_folder import prepare
from mayfly.cli.extras import require, require_adapters
from mayfly.cli.host_process import Child, LocalHost
from mayfly.cli.options import Data
from mayfly.cli.screen import console, fact_table
from mayfly.client.connection import DEFAULT_DATA, keys_path, local_key
from mayfly.client.errors import BadRequest, ClientError
from mayfly.errors import SettingInvalid
from mayfly.settings import read_settings

_POLL_S = 0.2


def up(
    port: Annotated[int, Option("--port", min=1, max=65_535, help="Port of the API on 127.0.0.1.")] = 7071,
    data: Data = DEFAULT_DATA,
    dashboard: Annotated[bool, Option("--dashboard/--no-dashboard", help="Also serve the dashboard.")] = True,
    dashboard_port: Annotated[
        int, Option("--dashboard-port", min=1, max=65_535, help="Port of the dashboard on 127.0.0.1.")
    ] = 8501,
) -> None:
    """Run the API and the dashboard on this machine until Ctrl-C."""
    require("host")
    prepare(data)
    try:
        require_adapters(read_settings({**os.environ, "MAYFLY_DATA": str(data)}))
    except SettingInvalid as error:
        raise BadRequest(str(error), ["set it in the environment of `mayfly up`"]) from error
    host = LocalHost(data, port)
    children: list[Child] = []
    with _handling(signal.default_int_handler):
        try:
            begun = time.monotonic()
            children.append(host.start())
            if dashboard:
                children.append(start_dashboard(data, host.url, dashboard_port))
            for child in children:
                child.wait_until_ready()
            _print_addresses(host, children[-1].url if dashboard else "", data, time.monotonic() - begun)
            while all(child.exit_code is None for child in children):
                time.sleep(_POLL_S)
            ended = next(child for child in children if child.exit_code is not None)
            raise ClientError(f"{ended.name} exited unexpectedly with code {ended.exit_code}")
        except KeyboardInterrupt:
            print("\nstopping", file=sys.stderr)
        finally:
            # Stopped in reverse order. A second Ctrl-C must not leave a process behind.
            with _handling(signal.SIG_IGN):
                killed = [child.name for child in reversed(children) if not child.stop()]
    if killed:
        raise ClientError(f"{killed[0]} did not stop and was killed; nothing is lost")


def key(data: Data = DEFAULT_DATA) -> None:
    """Print the function key of the local host.

    For example: curl -H "x-functions-key: $(mayfly key)" ...
    """
    found = local_key(data)
    if found is None:
        fix = "start the host with `mayfly up`, or choose its folder with --data"
        raise BadRequest(f"{keys_path(data)} does not exist", [fix])
    print(found)


def _print_addresses(host: LocalHost, dashboard_url: str, data: Path, seconds: float) -> None:
    screen = console()
    screen.print(Text.assemble(("Mayfly is up", "bold green"), f" ({seconds:.1f} s)"))
    suffix = "" if data == DEFAULT_DATA else f" --data {data}"
    submit = "mayfly submit --wait --message hello" + (f" --url {host.url}" if host.port != 7071 else "")
    facts = fact_table(
        ("API", f"{host.url}/api  (described in /api/openapi.json)"),
        ("dashboard", dashboard_url),
        ("key", f"mayfly key{suffix}, send it as the header x-functions-key"),
        ("data", str(host.data)),
        ("try", submit if data == DEFAULT_DATA else f"MAYFLY_DATA={data} {submit}"),
        ("stop", "Ctrl-C"),
    )
    screen.print(facts)
    sys.stdout.flush()


@contextlib.contextmanager
def _handling(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    """Handle SIGINT, SIGTERM and SIGHUP in this way during the block."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
