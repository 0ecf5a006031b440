"""The metrics of one group of processes: sampled when a caller asks, and kept next to the group's log."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from mayfly.containers.processes.census import usage_of
from mayfly.containers.runtime import MetricSample

SAMPLES_MAX = 2_000
"""With more samples than this in a file, every second one is dropped, so that a long job keeps its whole history."""

_SAMPLE_EVERY_S = 0.5
"""The system counts CPU time in steps of 10 ms, so a shorter interval would be too inaccurate."""


def read_samples(path: Path) -> Sequence[MetricSample]:
    """Return the samples so far, oldest first; a line that a killed host left incomplete is skipped."""
    return [sample for sample, _ in _read(path)]


def add_sample(path: Path, pids: Sequence[int], *, started_at: datetime, now: datetime) -> Sequence[MetricSample]:
    """Sample the processes `pids`, append the sample to the file, and return all of them.

    CPU is the average since the previous sample, or since `started_at`. The CPU time of an ended process counts if its
    parent waited for it.
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


def _line(entry: tuple[MetricSample, float]) -> str:
    sample, cpu_s = entry
    facts = {"at": sample.at.timestamp(), "cores": sample.cpu_cores, "bytes": sample.memory_bytes, "cpu_s": cpu_s}
    return json.dumps(facts) + "\n"


def _read(path: Path) -> list[tuple[MetricSample, float]]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for line in lines:
        try:
            facts = json.loads(line)
            at = datetime.fromtimestamp(facts["at"], UTC)
            sample = MetricSample(at=at, cpu_cores=facts["cores"], memory_bytes=facts["bytes"])
            found.append((sample, float(facts["cpu_s"])))
        except (ValueError, KeyError, TypeError):
            continue
    return found
