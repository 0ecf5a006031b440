"""Run all benchmarks or the given ones, and print a table for people and JSON for programs.

Compare only ratios within one run. Two machines, or one machine on two days, differ by more than most changes.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import dashboard, engine, processes, stores
from benchmarks.host import ROOT

_PEER = ROOT / ".venv-peer"
_progress = Console(stderr=True)


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(_PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, as a quick check")
    parser.add_argument("--json", action="store_true", help="print only JSON")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - _PARTS.keys()
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; choose from {', '.join(_PARTS)}")
    results: dict[str, Any] = {"python": platform.python_version(), "machine": platform.machine()}
    for name in arguments.parts or _PARTS:
        _progress.print(f"measuring {name} …", style="dim")
        results[name] = _PARTS[name](10 if arguments.quick else 1)
    if not arguments.json:
        Console().print(_table(results))
    print(json.dumps(results, indent=2))


def _engine(divisor: int) -> Any:
    """Measure Mayfly at each size. The peer runs right before the first, so that their ratio holds for one moment."""
    peer = _peer(500 // divisor)
    sizes = [engine.throughput(jobs // divisor) for jobs in (500, 2_000, 10_000)]
    ratio = sizes[0]["jobs_per_s"] / peer["jobs_per_s"]
    return {"peer_durabletask_in_memory": peer, "mayfly": sizes, "ratio_to_peer_at_500": ratio}


def _latency(divisor: int) -> Any:
    return [engine.latency(300 // divisor, in_flight=1), engine.latency(1_000 // divisor, in_flight=16)]


def _parked(divisor: int) -> Any:
    return engine.parked(2_000 // divisor)


def _processes(divisor: int) -> Any:
    return processes.worker_processes(200 // divisor)


def _stores(divisor: int) -> Any:
    sizes = (10_000 // divisor, 100_000 // divisor)
    return {"appends": stores.appends(5_000 // divisor), "reads": [stores.reads(jobs) for jobs in sizes]}


def _dashboard(divisor: int) -> Any:
    return {
        **dashboard.over_a_large_store(100_000 // divisor),
        **dashboard.of_an_idle_board(10_000 // divisor),
        **dashboard.append_to_pixel(20),
    }


_PARTS: dict[str, Callable[[int], Any]] = {
    "engine": _engine,
    "latency": _latency,
    "parked": _parked,
    "processes": _processes,
    "stores": _stores,
    "dashboard": _dashboard,
}


def _peer(jobs: int) -> Any:
    """Run the peer in a separate environment, which the first run creates."""
    python = _PEER / "bin" / "python"
    if not python.exists():
        _progress.print("installing the peer into .venv-peer …", style="dim")
        subprocess.run([sys.executable, "-m", "venv", str(_PEER)], check=True)
        requirements = str(ROOT / "benchmarks" / "peer-requirements.txt")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    command = [str(python), str(ROOT / "benchmarks" / "peer.py"), str(jobs), "50151"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(shown.stdout)


def _table(results: dict[str, Any]) -> Table:
    table = Table("what", "size", "value")
    for path, value in _flat(results, ()):
        size = next((part for part in path if part.startswith("@")), "")
        name = ".".join(part for part in path if not part.startswith("@"))
        table.add_row(name, size.removeprefix("@"), f"{value:,.3g}" if isinstance(value, float) else str(value))
    return table


def _flat(value: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        size = [f"@{value['jobs']} jobs"] if "jobs" in value else []
        size = [f"{size[0]}, {value['in_flight']} in flight"] if "in_flight" in value else size
        return [
            row
            for key, inner in value.items()
            if key not in ("jobs", "in_flight", "worker_imports")
            for row in _flat(inner, (*path, *size, key))
        ]
    if isinstance(value, list):
        return [row for inner in value for row in _flat(inner, path)]
    return [(path, value)]


if __name__ == "__main__":
    main()
