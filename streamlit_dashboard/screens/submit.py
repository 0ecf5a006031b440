"""Submit a job: a form with errors next to their fields, and the price and blockers of the job before it is sent."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from html import escape
from typing import Any, ParamSpec

import streamlit as st

from mayfly.client.errors import BadRequest
from mayfly.jobs.costs import EAST_US
from mayfly.jobs.names import is_job_id
from mayfly.jobs.spec import JobSpec
from mayfly.wording.times import span
from streamlit_dashboard import cards, spec_form
from streamlit_dashboard.errors import shows_errors
from streamlit_dashboard.formatting import money
from streamlit_dashboard.services import api, ask, reader, submit
from streamlit_dashboard.spec_form import DEFAULTS, KINDS, Draft

_LIMITS = ("start_timeout_s", "run_timeout_s", "max_attempts", "backoff_s", "on_exit_codes", "at_most_once")
_P = ParamSpec("_P")


def draw() -> None:
    st.title("Submit", anchor=False)
    prepare()
    st.session_state["typed"] = {name: st.session_state[name] for name in DEFAULTS}
    draft = spec_form.read(st.session_state["typed"])
    left, right = st.columns([3, 2], gap="large")
    with left:
        inputs(draft)
    with right:
        submission(draft)


def prepare() -> None:
    """Set the initial value of every input; with `?again=ID`, from the job to run again."""
    # Input survives a visit to another page. Only missing inputs are set, because this overrides input that the viewer
    # is typing.
    typed = st.session_state.get("typed", DEFAULTS)
    for name in DEFAULTS:
        if name not in st.session_state:
            st.session_state[name] = typed[name]
    st.session_state.setdefault("submission", uuid.uuid4().hex)
    again = st.query_params.get("again", "")
    if again and st.session_state.get("again-of") != again:
        st.session_state["again-of"] = again
        with shows_errors(f"{again} could not be read"):
            if not is_job_id(again):
                st.error(f"`{again[:60]}` is not a job id.", icon=":material/error:")
                return
            st.session_state.update(spec_form.write(ask(reader().job(again)).spec))
    if again and is_job_id(again):
        st.caption(f":material/replay: Copied from {again}. Edit anything before you submit.")


def inputs(draft: Draft) -> None:
    """Draw the inputs, each with its errors below."""
    kind = st.segmented_control("Run", KINDS, key="kind", required=True)
    if kind == "Message":
        example = "text for the standard worker's demo task"
        field(draft, st.text_area, "Message", key="message", placeholder=example, height=120)
    else:
        if kind == "Image":
            field(draft, st.text_input, "Image", key="image", placeholder="registry.example.org/resize:1.4")
        hint = "Program and arguments, quoted as in a shell. It is not run by a shell."
        example = "python3 resize.py --width 640"
        field(draft, st.text_area, "Command", key="command", placeholder=example, help=hint, height=100)
    left, right = st.columns(2)
    with left:
        hint = "1 to 24 of a-z, 0-9, hyphens"
        field(draft, st.text_input, "Name", key="job_name", placeholder="generated if empty", help=hint)
    with right:
        pairs = "One NAME=VALUE per line"
        field(draft, st.text_area, "Labels", key="labels", placeholder="team=web", help=pairs, height=68)
    left, right = st.columns(2)
    with left:
        field(draft, st.number_input, "CPU, cores", key="cpu", step=0.5, format="%.2f")
    with right:
        field(draft, st.number_input, "Memory, GB", key="memory_gb", step=0.5, format="%.2f")
    with st.expander("Deadlines and retries", icon=":material/timer:", expanded=_touched(draft, *_LIMITS)):
        limits(draft)
    with st.expander("Environment and secrets", icon=":material/key:", expanded=_touched(draft, "env", "secrets")):
        field(draft, st.text_area, "Environment", key="env", placeholder="SIZE=640", help=pairs, height=100)
        hint = "One VARIABLE=NAME per line: the name in the secret store, never the value"
        example = "DB_PASSWORD=db-password"
        field(draft, st.text_area, "Secrets", key="secrets", placeholder=example, help=hint, height=68)


def limits(draft: Draft) -> None:
    """Draw the deadlines of an attempt, and the retries."""
    left, right = st.columns(2)
    with left:
        field(draft, st.number_input, "Start within, s", key="start_timeout_s", step=60)
        field(draft, st.number_input, "Maximum attempts", key="max_attempts", step=1)
    with right:
        hint = "Counted from the start of the worker"
        field(draft, st.number_input, "Finish within, s", key="run_timeout_s", step=60, help=hint)
        field(draft, st.number_input, "Wait before the second attempt, s", key="backoff_s", step=5.0, format="%.1f")
    label = "Retry only after these exit codes"
    field(draft, st.text_input, label, key="on_exit_codes", placeholder="75, 111", help="Empty: after any")
    st.checkbox("At most once", key="at_most_once", help="Never retry once a worker has started")


def field(draft: Draft, draw_input: Callable[_P, object], *args: _P.args, **options: _P.kwargs) -> None:
    """Draw an input with its errors below. An empty input has none until the viewer presses Submit."""
    draw_input(*args, **options)
    name = str(options["key"])
    messages = draft.faults.get(name, ())
    if messages and (st.session_state.get("submit-pressed") or st.session_state.get(name) not in ("", None)):
        st.html(f'<div class="mf-fault" role="alert">{"<br>".join(map(escape, messages))}</div>')


def submission(draft: Draft) -> None:
    """Draw the button, and below it the plan of the job."""
    if st.button("Submit", type="primary", icon=":material/send:", key="send", width="stretch", shortcut="Ctrl+Enter"):
        st.session_state["submit-pressed"] = True
        if draft.spec is not None:
            send(draft)
    with st.container(border=True, key="plan"):
        st.markdown("**Before you submit**")
        if draft.spec is None:
            if "form" in draft.faults and st.session_state.get("submit-pressed"):
                for message in draft.faults["form"]:
                    st.error(message, icon=":material/error:")
            else:
                st.markdown(":gray[Fill in the form to see the estimated cost and any blockers.]")
            return
        with shows_errors("The plan could not be read"):
            draw_plan(planned(draft.document), draft.spec)


def planned(document: Any) -> dict[str, Any]:
    """Return the plan; it is requested again only if the document has changed."""
    key = json.dumps(document, sort_keys=True)
    if st.session_state.get("planned", (None,))[0] != key:
        st.session_state["planned"] = (key, api().plan(document))
    plan: dict[str, Any] = st.session_state["planned"][1]
    return plan


def draw_plan(plan: dict[str, Any], spec: JobSpec) -> None:
    """Draw the plan of a spec: place, price, blockers and warnings."""
    price = plan["price"]
    free = price["per_hour"] == 0
    per_hour = EAST_US.per_hour(cpu=spec.cpu, memory_gb=spec.memory_gb)
    hours = (spec.start_timeout_s + spec.run_timeout_s) * spec.retry.max_attempts / 3_600
    cards.facts(
        ("place", escape(str(plan["place"]))),
        ("price per hour", "free" if free else money(price["per_hour"])),
        ("maximum", "free" if free else money(price["at_most"])),
        ("in Azure, East US", f"{money(per_hour)} per hour, {money(per_hour * hours)} at most" if free else ""),
        ("ends within", span(hours * 3_600)),
    )
    for obstacle in plan["obstacles"]:
        st.error(f"Blocked: {obstacle}", icon=":material/block:")
    for warning in plan["warnings"]:
        st.warning(warning, icon=":material/info:")
    if not plan["obstacles"]:
        st.success("Ready to run.", icon=":material/check_circle:")


def send(draft: Draft) -> None:
    """Submit the job and go to its page. The idempotency key is kept until the API accepts it, so no job runs twice."""
    with shows_errors("The job was not submitted"):
        try:
            job_id = submit(draft.document, idempotency_key=st.session_state["submission"])
        except BadRequest as error:
            if error.status == 422:  # the key may belong to another spec, so the next press is a new submission
                st.session_state["submission"] = uuid.uuid4().hex
            raise
        for name in (*DEFAULTS, "typed", "submission", "again-of", "planned", "submit-pressed"):
            st.session_state.pop(name, None)
        st.switch_page(cards.JOB_PAGE, query_params={"job": job_id})


def _touched(draft: Draft, *names: str) -> bool:
    """Return whether a collapsed group has an error or a value that is not the default."""
    return any(draft.faults.get(name) or st.session_state[name] != DEFAULTS[name] for name in names)


draw()
