from __future__ import annotations

import pytest

from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.wording.specs import attempts, command_line, deadlines


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("python", "-c", "print('x')\nprint(2)"), "python -c \"print('x') print(2)\""),
        (("echo", "two words", "plain"), "echo 'two words' plain"),
        (("echo", ""), "echo ''"),
        (("echo", "\x1b[31m"), "echo '�[31m'"),
    ],
)
def test_a_command_is_one_printable_line_with_quotes_where_they_are_needed(command: tuple[str, ...], line: str) -> None:
    assert command_line(JobSpec(command=command)) == line


def test_a_message_is_cut_to_the_length() -> None:
    assert command_line(JobSpec(message="x" * 30_000), chars_max=10) == 'message "xxxxxxxxx…"'


def test_deadlines_and_attempts_are_one_line_each() -> None:
    spec = JobSpec(message="hi", start_timeout_s=60, run_timeout_s=90, at_most_once=True)
    assert deadlines(spec) == "start within 1 min, finish within 1 min 30 s after that"
    assert attempts(spec) == "1, none after a worker has started"
    twice = JobSpec(message="hi", retry=RetryPolicy(max_attempts=2, backoff_s=0.5))
    assert attempts(twice) == "up to 2, waiting 0.5 s before the second"
