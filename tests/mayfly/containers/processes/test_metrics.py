"""Readings of a group: kept, bounded, and not lost to a half-written line."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mayfly.containers.processes import metrics as process_metrics
from mayfly.containers.processes.metrics import SAMPLES_MAX, add_sample, read_samples

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_samples_are_kept_and_returned_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    for second in (1, 2, 3):
        samples = add_sample(path, [os.getpid()], started_at=START, now=START + timedelta(seconds=second))
    assert [sample.at for sample in samples] == [START + timedelta(seconds=second) for second in (1, 2, 3)]
    assert read_samples(path) == samples


def test_cpu_is_the_average_since_the_previous_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([(2.0, 100), (3.0, 200), (2.5, 300)])
    monkeypatch.setattr(process_metrics, "usage_of", lambda _pids: next(used))
    for second in (4, 6, 7):
        samples = add_sample(tmp_path / "m", [1], started_at=START, now=START + timedelta(seconds=second))
    assert [sample.cpu_cores for sample in samples] == [0.5, 0.5, 0.0]
    assert [sample.memory_bytes for sample in samples] == [100, 200, 300]


def test_a_second_call_at_once_takes_no_sample(tmp_path: Path) -> None:
    for milliseconds in (1000, 1001):
        samples = add_sample(
            tmp_path / "m", [os.getpid()], started_at=START, now=START + timedelta(milliseconds=milliseconds)
        )
    assert len(samples) == 1


def test_a_long_job_keeps_its_whole_history_in_bounded_space(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        "".join(
            f'{{"at": {(START + timedelta(seconds=second)).timestamp()}, "cores": 0.0, "bytes": 1, "cpu_s": 0.0}}\n'
            for second in range(SAMPLES_MAX)
        )
    )
    samples = add_sample(path, [os.getpid()], started_at=START, now=START + timedelta(seconds=SAMPLES_MAX))
    assert len(samples) == SAMPLES_MAX // 2 + 1
    assert (samples[0].at, samples[-1].at) == (START, START + timedelta(seconds=SAMPLES_MAX))
    assert read_samples(path) == samples
    assert os.listdir(tmp_path) == ["metrics.jsonl"]


def test_a_half_written_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    add_sample(path, [os.getpid()], started_at=START, now=START + timedelta(seconds=1))
    with path.open("a") as file:
        file.write('{"at": 17')
    assert len(read_samples(path)) == 1
