"""The form of a spec: what was typed becomes a spec, or errors at their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given

from mayfly.jobs.spec import JobSpec
from streamlit_dashboard import spec_form
from tests.mayfly.jobs.histories import specs


def test_the_form_starts_with_the_defaults_of_the_spec() -> None:
    draft = spec_form.read({**spec_form.DEFAULTS, "message": "hi"})
    assert draft.spec == JobSpec(message="hi")


@given(specs)
def test_a_filled_in_spec_is_read_as_the_same_spec(spec: JobSpec) -> None:
    asked = spec.model_copy(update={"retry": spec.retry.model_copy(update={"on_errors": None})})
    assert spec_form.read(spec_form.write(asked)).spec == asked


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"kind": "Command", "command": "echo 'open"}, "command"),
        ({"kind": "Image", "image": "Upper Case", "command": "true"}, "image"),
        ({"on_exit_codes": "75, x"}, "on_exit_codes"),
        ({"on_exit_codes": "0"}, "on_exit_codes"),
        ({"labels": "a=1\na=2"}, "labels"),
        ({"env": "MESSAGE=mine"}, "env"),
        ({"secrets": "DB=not a name"}, "secrets"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"backoff_s": -1.0}, "backoff_s"),
        ({"start_timeout_s": 0}, "start_timeout_s"),
        ({"run_timeout_s": 0}, "run_timeout_s"),
        ({"memory_gb": 1_000.0}, "memory_gb"),
        ({"message": ""}, "form"),
    ],
)
def test_each_error_belongs_to_its_input(typed: dict[str, object], field: str) -> None:
    draft = spec_form.read({**spec_form.DEFAULTS, "message": "hi", **typed})
    assert draft.spec is None
    assert list(draft.faults) == [field]
