"""The phases of a job, as bars over the time since its submission. HTML, so that it grows without flicker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from mayfly.jobs.phases import Phase
from streamlit_dashboard.formatting import lasting, moment_html

_TICKS = 4


def timeline(found: Sequence[Phase], *, begun_at: datetime, now: datetime, attempts: int) -> str:
    """Return a job's phases as a table of names, bars and durations."""
    whole_s = max(0.001, *(((phase.ended_at or now) - begun_at).total_seconds() for phase in found))
    rows = []
    for phase in found:
        name = f"{phase.attempt} · {phase.name}" if attempts > 1 else phase.name
        left = (phase.begun_at - begun_at).total_seconds() / whole_s
        width = phase.seconds(now) / whole_s
        ellipsis = "" if phase.ended_at else " …"
        rows.append(
            f'<tr><th scope="row">{escape(name)}</th><td><i class="mf-phase mf-phase-{phase.name}"'
            f' style="left:min({left:.2%},100% - 3px);width:{width:.2%}"></i></td>'
            f"<td>{moment_html(phase.begun_at, lasting(phase.seconds(now)))}{ellipsis}</td></tr>"
        )
    ticks = "".join(f"<span>{lasting(whole_s * n / _TICKS) if n else '0'}</span>" for n in range(_TICKS + 1))
    return (
        '<div class="mf-gantt"><table aria-label="Phases since submission">'
        f'<tbody>{"".join(rows)}</tbody><tfoot><tr><th></th><td><div class="mf-ticks" aria-hidden="true">{ticks}</div>'
        "</td><td></td></tr></tfoot></table></div>"
    )
