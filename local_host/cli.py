"""How is the host started? `python -m local_host start --app DIR --port N --data DIR`.

Exit codes: 0 after a stop signal, 2 if the host cannot start (the text says why), 1 if it fails while running.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import importlib.util
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from local_host.app.loading import LoadedApp, ignored_settings, load_app
from local_host.errors import StartupError
from local_host.host import Host, HostSettings
from local_host.lock import DirectoryLock
from local_host.web.guard import LOOPBACK_NAMES, Guard
from local_host.web.keys import Keys
from local_host.web.server import BODY_BYTES_MAX, AsgiApp, Server, bind


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    _configure_log(verbose=options.verbose)
    try:
        code = _start(options)
    except StartupError as error:
        print(error, file=sys.stderr)
        return 2
    # A sync function that never returns keeps its thread, and so the process, alive. It will run again at the next
    # start in any case, so it is safe to end the process here.
    if any(t is not threading.main_thread() and not t.daemon for t in threading.enumerate()):
        logging.shutdown()
        sys.stderr.flush()
        os._exit(code)
    return code


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_host", description="Run an Azure function app locally.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="run a function app")
    start.add_argument("--app", type=Path, default=Path(), help="folder with function_app.py (default: current folder)")
    start.add_argument("--data", type=Path, required=True, help="folder for the task hub and the host keys")
    start.add_argument("--port", type=int, default=7071, help="port to listen on; 0 picks a free one (default: 7071)")
    start.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    start.add_argument("--allow-remote", action="store_true", help="allow a --host that other machines can reach")
    start.add_argument("--max-body-bytes", type=int, default=BODY_BYTES_MAX, help="request size limit, in bytes")
    start.add_argument("--quiet", action="store_true", help="print warnings and errors only")
    start.add_argument("--verbose", action="store_true", help="log at debug level")
    return parser.parse_args(arguments)


def _configure_log(*, verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("local_host").setLevel(logging.DEBUG if verbose else logging.WARNING)


def _start(options: argparse.Namespace) -> int:
    if options.host not in LOOPBACK_NAMES | {"::1"} and not options.allow_remote:
        raise StartupError(
            f"--host {options.host} lets other machines reach this host. Add --allow-remote if you want that, or use "
            "127.0.0.1."
        )
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = DirectoryLock(options.data)
    try:
        with contextlib.closing(bind(options.host, options.port)) as listener:
            app = load_app(options.app)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                return runner.run(_serve(listener, app, options))
    finally:
        lock.release()


async def _serve(listener: socket.socket, app: LoadedApp, options: argparse.Namespace) -> int:
    port = listener.getsockname()[1]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(options.host, options.host)  # noqa: S104
    settings = HostSettings(base_url=f"http://{name}:{port}", data=options.data)
    host = Host(app, Keys.load_or_create(options.data / "keys.json"), settings)
    guard = Guard(port=port, allow_remote=options.allow_remote)
    server = Server(AsgiApp(host.handle, guard=guard, body_bytes_max=options.max_body_bytes))
    loop = asyncio.get_running_loop()
    stop_requested = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_requested.set)
    host.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    if not options.quiet:
        _announce(host, settings.base_url)
    ends = [serving, asyncio.create_task(stop_requested.wait()), asyncio.create_task(host.failed.wait())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await asyncio.wait([serving])
    for task in ends[1:]:
        task.cancel()
    await host.stop()
    return 1 if host.failed.is_set() else 0


def _announce(host: Host, base_url: str) -> None:
    names = ", ".join(function.name for function in host.app.functions)
    print(f"Listening on {base_url} with {len(host.app.functions)} functions: {names}", file=sys.stderr, flush=True)
    if ignored := ignored_settings(host.app, os.environ):
        print(f"Ignored by the local host: {', '.join(ignored)}", file=sys.stderr, flush=True)
    for line in host.http.listing(base_url):
        logging.getLogger("local_host").info("%s", line)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory
