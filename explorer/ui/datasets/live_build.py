"""Build it before their eyes: one image of the row, from its start to what the set holds, while the worker makes it."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import streamlit as st
from torch import Tensor

from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult, ConstructionFrame, SetImage
from explorer.figures import palette
from explorer.figures.captions import percent
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.datasets.request import BuildRequest, BuiltImage, FiveSetsRequest, build_image
from explorer.ui.datasets.session_set import keep_made
from explorer.ui.datasets.words import SETS, objective_words, seen
from explorer.ui.jobs.sessions import SessionJobs, session_jobs
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.classifiers import classifier

JOB, SHOWN, NOTE, PRESSES = "build job", "build shown", "build note", "build presses"
QUICK = 0.15  # seconds after which the moving picture takes over

_draw = component(__file__)


def live_build(question: FiveSetsRequest, row: FiveSetsResult) -> None:
    """The buttons, and the image that is being made, or else the last one."""
    with st.container(horizontal=True, key="build buttons"):
        for name in CONSTRUCTIONS:
            kind: Literal["primary", "secondary"] = "primary" if name == "d_r" else "secondary"
            st.button(
                SETS[name].button,
                type=kind,
                on_click=_press,
                args=(name, question),
                key=f"build {name}",
            )
    job: Job[BuiltImage] | None = st.session_state.get(JOB)
    if job is not None and job.wait(QUICK):
        _settle(job)
        job = None
    # Always there, so that a late run of the fragment finds it.
    with st.container(key="build place"):
        if job is not None:
            _watch(_lane(question), job)
            return
        if note := st.session_state.get(NOTE):
            st.info(note, icon=":material/info:")
        shown: BuiltImage | None = st.session_state.get(SHOWN)
        if shown is None:
            _draw(
                key="build still",
                data=finished_data(row.image("d_r"), row.names, "As in the row above."),
            )
        else:
            names = shown.image.predictions[0].names
            _draw(
                key="build still",
                data=finished_data(shown.image, names, "It joined “made here” below."),
            )


def _press(name: str, question: FiveSetsRequest) -> None:
    st.session_state[PRESSES] = st.session_state.get(PRESSES, 0) + 1
    asked = BuildRequest(question, name, st.session_state[PRESSES])
    # The job is kept, not asked for again at each run: a cancelled one would begin anew.
    st.session_state[JOB] = _lane(question).submit("build", asked.key, partial(build_image, asked))
    st.session_state[NOTE] = None


def _lane(question: FiveSetsRequest) -> SessionJobs:
    return session_jobs(str(classifier(question.pair.standard.name).device))


def _settle(job: Job[BuiltImage]) -> None:
    """Keep what a finished job made, or say why there is nothing."""
    del st.session_state[JOB]
    if job.done and job.result is not None:
        st.session_state[SHOWN] = job.result
        keep_made(job.result)
    elif job.error is not None:
        st.session_state[NOTE] = job.error
    else:
        st.session_state[NOTE] = "It was cancelled; nothing was added."


@st.fragment(run_every=0.1)
def _watch(way: SessionJobs, job: Job[BuiltImage]) -> None:
    """The image at its latest step; the page runs again when it is finished."""
    if job.finished:
        st.rerun()
    st.button("Cancel", icon=":material/close:", on_click=job.cancel, key="build cancel")
    if job.shown is None:
        waiting = way.worker.ahead(job)
        st.caption(
            f"Waiting for {waiting} other job{'s' if waiting > 1 else ''}"
            if waiting
            else "About to start"
        )
        return
    _draw(key="build live", data=frame_data(job.shown))


def frame_data(frame: ConstructionFrame) -> dict[str, Any]:
    """What the browser shows of an image in the making."""
    matched = CONSTRUCTIONS[frame.name].matches
    return {
        **_chart(frame.name, matched, list(frame.objective), frame.steps),
        "start": _picture(frame.start, "start"),
        "now": _picture(frame.image, f"step {frame.step} of {frame.steps}"),
        "running": True,
        "note": "",
    }


def finished_data(image: SetImage, names: tuple[str, ...], note: str) -> dict[str, Any]:
    """The same of a finished image, with what each classifier says of it."""
    assert image.start is not None
    assert image.objective is not None
    path = image.objective.tolist()
    begun = (
        "noise"
        if image.from_noise
        else ""
        if image.start_label is None
        else names[image.start_label]
    )
    standard, robust = (
        f"“{belief.name}” ({percent(belief.confidence)})" for belief in image.predictions[:2]
    )
    return {
        **_chart(image.name, image.matched, path, len(path) - 1),
        "start": _picture(image.start, f"start: {begun}" if begun else "start"),
        "now": _picture(
            image.image, f"labelled {names[image.label]}; a person sees {seen(image, names)}"
        ),
        "running": False,
        "note": f"{note} The standard classifier says {standard}, the robust one {robust}.",
    }


def _chart(name: str, matched: bool, values: list[float], steps: int) -> dict[str, Any]:
    colour = palette.ROBUST if CONSTRUCTIONS[name].robust else palette.STANDARD
    return {
        "name": SETS[name].short,
        "unit": objective_words(matched),
        "values": values,
        "steps": steps,
        "colour": colour,
    }


def _picture(image: Tensor, text: str) -> dict[str, Any]:
    pixelated = max(image.shape[-2:]) < PIXELATED_BELOW
    return {"src": data_uri(to_png(image), "image/png"), "text": text, "pixelated": pixelated}
