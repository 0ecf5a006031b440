"""The status of a job, in the words that CLI and dashboard share."""

from __future__ import annotations

from datetime import timedelta

from mayfly.jobs.commands import SubmitJob
from mayfly.jobs.decide import submit
from mayfly.jobs.spec import JobSpec
from mayfly.wording.jobs import age, duration, label_list, labels, summary
from tests.mayfly.cli.streams import NOW, failed, folded, running, succeeded


def test_a_job_that_is_over_shows_its_result_or_its_error() -> None:
    assert summary(folded(succeeded())) == '{"n": 1}'
    assert summary(folded(failed())) == "exit: the command exited with code 3"


def test_an_open_job_shows_what_it_is_waiting_for() -> None:
    stream = running()
    assert summary(folded(stream[:1])) == "waiting for a container"
    assert summary(folded(stream[:2])) == "waiting for the worker to start"
    assert summary(folded(stream)) == ""


def test_a_duration_begins_with_the_first_attempt_and_an_age_with_the_submission() -> None:
    queued = submit(SubmitJob(job_id="ada-aaaaaaaaaa", spec=JobSpec(message="hi"), source="cli"), NOW).events
    assert duration(folded([*queued])) == ""
    assert duration(folded(succeeded())) == "2.0 s"
    assert age(folded(succeeded()), NOW + timedelta(seconds=90)) == "1 min 30 s"


def test_labels_are_sorted_by_name() -> None:
    job = folded(succeeded(labels={"tier": "2", "team": "web"}))
    assert label_list(job) == ["team=web", "tier=2"]
    assert labels(job) == "team=web tier=2"
