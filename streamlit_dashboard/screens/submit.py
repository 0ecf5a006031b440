"""Submit a job: what it is, what it may use, when it is given up; mistakes at their fields, and its price before."""

from __future__ import annotations

import json
import uuid
from html import escape
from typing import Any

import streamlit as st

from mayfly.client.errors import BadRequest
from mayfly.jobs.costs import EAST_US
from mayfly.jobs.names import is_job_id
from streamlit_dashboard import cards, spec_form
from streamlit_dashboard.errors import said
from streamlit_dashboard.formatting import money, span
from streamlit_dashboard.services import api, read_service
from streamlit_dashboard.spec_form import DEFAULTS, KINDS, Draft

_OWN_MAX = 5


def draw() -> None:
    """Draw the page."""
    st.title("Submit", anchor=False)
    prepare()
    st.session_state["typed"] = {name: st.session_state[name] for name in DEFAULTS}
    draft = spec_form.read(st.session_state["typed"])
    left, right = st.columns([3, 2], gap="large")
    with left:
        inputs(draft)
    with right:
        verdict(draft)


def prepare() -> None:
    """Give every input its first value; with `?again=ID`, that of the job that is to be repeated."""
    # What was typed stays when the viewer looks at another page in between. An input that is there is left alone: what
    # is set here takes the place of what is being typed.
    typed = st.session_state.get("typed", DEFAULTS)
    for name in DEFAULTS:
        if name not in st.session_state:
            st.session_state[name] = typed[name]
    st.session_state.setdefault("submission", uuid.uuid4().hex)
    again = st.query_params.get("again", "")
    if again and st.session_state.get("again-of") != again:
        st.session_state["again-of"] = again
        with said(f"{again} could not be read"):
            if not is_job_id(again):
                st.error(f"`{again[:60]}` is not a job's id.", icon=":material/error:")
                return
            service = read_service()
            st.session_state.update(spec_form.write(service.ask(service.reader.job(again)).spec))
    if again and is_job_id(again):
        st.caption(f":material/replay: Filled in from {again}. Change what you like.")


def inputs(draft: Draft) -> None:
    """Draw the inputs, each with what is wrong with it below."""
    kind = st.segmented_control("What to run", KINDS, key="kind", required=True)
    if kind == "Message":
        st.text_area("Message", key="message", placeholder="passed to the standard worker as MESSAGE", height=120)
        fault(draft, "message")
    else:
        if kind == "Image":
            st.text_input("Image", key="image", placeholder="registry.example.org/resize:1.4")
            fault(draft, "image")
        st.text_area(
            "Command",
            key="command",
            placeholder="python3 resize.py --width 640",
            help="Program and arguments, quoted as in a shell; no shell is involved.",
            height=100,
        )
        fault(draft, "command")
    name, labels = st.columns(2)
    with name:
        st.text_input("Name", key="job_name", placeholder="made up if empty", help="1 to 24 of a-z, 0-9, hyphens")
        fault(draft, "job_name")
    with labels:
        st.text_area("Labels", key="labels", placeholder="team=web", help="One NAME=VALUE a line", height=68)
        fault(draft, "labels")
    sizes(draft)
    with st.expander("Deadlines and retries", icon=":material/timer:", expanded=_touched(draft, "start_timeout_s")):
        deadlines(draft)
    with st.expander("Environment and secrets", icon=":material/key:", expanded=_touched(draft, "env")):
        st.text_area("Environment", key="env", placeholder="SIZE=640", help="One NAME=VALUE a line", height=100)
        fault(draft, "env")
        st.text_area(
            "Secrets",
            key="secrets",
            placeholder="DB_PASSWORD=db-password",
            help="One VARIABLE=NAME a line: the name in the secret store, never the value",
            height=68,
        )
        fault(draft, "secrets")


def sizes(draft: Draft) -> None:
    """Draw how large the container is."""
    left, right = st.columns(2)
    with left:
        st.number_input("CPU, cores", key="cpu", step=0.5, format="%.2f")
        fault(draft, "cpu")
    with right:
        st.number_input("Memory, GB", key="memory_gb", step=0.5, format="%.2f")
        fault(draft, "memory_gb")


def deadlines(draft: Draft) -> None:
    """Draw when an attempt is given up, and what follows."""
    left, right = st.columns(2)
    with left:
        st.number_input("Must start within, s", key="start_timeout_s", step=60)
        fault(draft, "start_timeout_s")
        st.number_input("Attempts at most", key="max_attempts", step=1)
        fault(draft, "max_attempts")
    with right:
        st.number_input("Must be done within, s", key="run_timeout_s", step=60, help="Counted from its start")
        fault(draft, "run_timeout_s")
        st.number_input("Wait before the second, s", key="backoff_s", step=5.0, format="%.1f")
        fault(draft, "backoff_s")
    st.text_input(
        "Only after these exit codes", key="on_exit_codes", placeholder="75, 111", help="Empty: after every failure"
    )
    fault(draft, "on_exit_codes")
    st.checkbox("At most once", key="at_most_once", help="An attempt that began is never followed by another")


def verdict(draft: Draft) -> None:
    """Draw the button, and below it what would become of the job."""
    if st.button("Submit", type="primary", icon=":material/send:", key="send", width="stretch", shortcut="Ctrl+Enter"):
        st.session_state["tried"] = True
        if draft.spec is not None:
            send(draft)
    with st.container(border=True, key="plan"):
        st.markdown("**Before you submit**")
        if draft.spec is None:
            if "form" in draft.faults and st.session_state.get("tried"):
                for told in draft.faults["form"]:
                    st.error(told, icon=":material/error:")
            else:
                st.markdown(":gray[Fill in what to run, and this says what it would cost and what stands in its way.]")
            return
        with said("There is no plan"):
            draw_plan(planned(draft.document), draft)


def planned(document: Any) -> dict[str, Any]:
    """Return the plan, asking again only when the document has changed."""
    key = json.dumps(document, sort_keys=True)
    known = st.session_state.get("planned")
    if known is None or known[0] != key:
        known = (key, api().plan(document))
        st.session_state["planned"] = known
    plan: dict[str, Any] = known[1]
    return plan


def draw_plan(plan: dict[str, Any], draft: Draft) -> None:
    """Draw a plan."""
    spec = draft.spec
    assert spec is not None, "only a spec without faults is planned"  # noqa: S101
    price = plan["price"]
    free = price["per_hour"] == 0
    per_hour = EAST_US.per_hour(cpu=spec.cpu, memory_gb=spec.memory_gb)
    hours = (spec.start_timeout_s + spec.run_timeout_s) * spec.retry.max_attempts / 3_600
    st.html(
        cards.facts(
            [
                ("where", escape(str(plan["place"]))),
                ("price per hour", "nothing here" if free else money(price["per_hour"])),
                ("at the very most", "nothing here" if free else money(price["at_most"])),
                ("in Azure, East US", f"{money(per_hour)} an hour, {money(per_hour * hours)} at most" if free else ""),
                ("given up after", span(hours * 3_600)),
            ]
        )
    )
    for obstacle in plan["obstacles"]:
        st.error(f"It would not start: {obstacle}", icon=":material/block:")
    for warning in plan["warnings"]:
        st.warning(warning, icon=":material/info:")
    if not plan["obstacles"]:
        st.success("Nothing stands in its way.", icon=":material/check_circle:")


def send(draft: Draft) -> None:
    """Submit the job and go to its page. The key is the same until it was accepted, so that it is never sent twice."""
    with said("The job was not submitted"):
        try:
            job_id = api().submit(draft.document, idempotency_key=st.session_state["submission"])
        except BadRequest as wrong:
            if wrong.status == 422:  # the key belongs to another spec: the next press is a new submission
                st.session_state["submission"] = uuid.uuid4().hex
            raise
        for name in (*DEFAULTS, "typed", "submission", "again-of", "planned", "tried"):
            st.session_state.pop(name, None)
        st.session_state["own"] = [job_id, *st.session_state.get("own", [])][:_OWN_MAX]
        st.switch_page(cards.JOB_PAGE, query_params={"job": job_id})


def fault(draft: Draft, name: str) -> None:
    """Draw what is wrong with an input. What is merely empty is wrong only once somebody has tried to submit."""
    told = draft.faults.get(name, ())
    if told and (st.session_state.get("tried") or st.session_state.get(name) not in ("", None)):
        st.html(f'<div class="mf-fault" role="alert">{"<br>".join(map(escape, told))}</div>')


def _touched(draft: Draft, first: str) -> bool:
    """Say whether a folded group holds what is not a default, or a mistake."""
    groups = {
        "start_timeout_s": (
            "start_timeout_s", "run_timeout_s", "max_attempts", "backoff_s", "on_exit_codes", "at_most_once"
        ),
        "env": ("env", "secrets"),
    }  # fmt: skip
    return any(draft.faults.get(name) or st.session_state[name] != DEFAULTS[name] for name in groups[first])


draw()
