"""The readings of one group of processes: taken when somebody looks, kept beside the group's log."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from mayfly.containers.processes.census import usage_of
from mayfly.containers.runtime import MetricSample

SAMPLES_MAX = 2_000
"""When a file holds this many readings, every second of them is dropped, so that a long job keeps its whole course."""

_SAMPLE_EVERY_S = 0.5
"""The system counts CPU time in steps of 10 ms, so a reading over less says little."""


def read_samples(path: Path) -> Sequence[MetricSample]:
    """Return the readings so far, oldest first; a line that was cut short by a killed host is left out."""
    return [sample for sample, _ in _read(path)]


def add_sample(path: Path, pids: Sequence[int], *, started_at: datetime, now: datetime) -> Sequence[MetricSample]:
    """Take a reading of the processes `pids`, append it, and return all.

    CPU is the mean since the reading before (the first: since `started_at`). What ended processes used is counted
    where their parent waited for them.
    """
    known = _read(path)
    before_at, before_cpu_s = (known[-1][0].at, known[-1][1]) if known else (started_at, 0.0)
    elapsed_s = (now - before_at).total_seconds()
    if known and elapsed_s < _SAMPLE_EVERY_S:
        return [sample for sample, _ in known]
    cpu_s, memory_bytes = usage_of(pids)
    cores = max(0.0, cpu_s - before_cpu_s) / elapsed_s if elapsed_s > 0 else 0.0
    known.append((MetricSample(at=now, cpu_cores=round(cores, 4), memory_bytes=memory_bytes), cpu_s))
    if len(known) > SAMPLES_MAX:
        known = [*known[:-1:2], known[-1]]
        shorter = path.with_suffix(".new")
        shorter.write_text("".join(map(_line, known)), encoding="ascii")
        os.replace(shorter, path)
    else:
        with path.open("a", encoding="ascii") as file:
            file.write(_line(known[-1]))
    return [sample for sample, _ in known]


def _line(reading: tuple[MetricSample, float]) -> str:
    sample, cpu_s = reading
    facts = {"at": sample.at.timestamp(), "cores": sample.cpu_cores, "bytes": sample.memory_bytes, "cpu_s": cpu_s}
    return json.dumps(facts) + "\n"


def _read(path: Path) -> list[tuple[MetricSample, float]]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    readings = []
    for line in lines:
        try:
            facts = json.loads(line)
            at = datetime.fromtimestamp(facts["at"], UTC)
            sample = MetricSample(at=at, cpu_cores=facts["cores"], memory_bytes=facts["bytes"])
            readings.append((sample, float(facts["cpu_s"])))
        except (ValueError, KeyError, TypeError):
            continue
    return readings
