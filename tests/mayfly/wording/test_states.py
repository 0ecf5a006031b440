from __future__ import annotations

from typing import get_args

from mayfly.jobs.lifecycle import STATES
from mayfly.wording.states import STATE_STYLES, Tone, state_label


def test_every_state_has_its_own_sign_and_word() -> None:
    assert set(STATE_STYLES) == set(STATES)
    assert len({style.sign for style in STATE_STYLES.values()}) == len(STATES)
    assert len({state_label(state) for state in STATES}) == len(STATES)


def test_every_tone_is_used() -> None:
    assert {style.tone for style in STATE_STYLES.values()} == set(get_args(Tone))
