"""One image of the row, built before the visitor's eyes: from its start to the finished image."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import streamlit as st
from torch import Tensor

from explorer.datasets.constructed.constructions import CONSTRUCTIONS, D_R
from explorer.experiments.ilyas2019.five_sets_result import (
    ConstructionFrame,
    FiveSetsResult,
    SetImage,
)
from explorer.figures import palette
from explorer.figures.captions import confidence_text
from explorer.figures.set_words import SETS, look_heading, looks_like
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.errors import report_errors
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.components.markdown import sentence
from explorer.ui.datasets.controls import BUILT
from explorer.ui.datasets.request import BuildRequest, BuiltImage, FiveSetsRequest, build_image
from explorer.ui.datasets.row_job import shown_request
from explorer.ui.datasets.session_set import add_to_session
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import follow_bar, follow_preview, status_text
from explorer.ui.jobs.sessions import SessionJobs, session_jobs
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.set_explanations import BUTTONS, objective_words
from explorer.ui.shared.stored_value import stored_value, write_value

# In the session's state.
_JOB, _LATEST, _NOTE, _PRESSES = "build job", "latest build", "build note", "build presses"
_NAME = "build pressed"  # of the set whose button was pressed last
_QUICK = 0.15  # seconds: a job that ends sooner shows no moving picture

_draw = component(__file__)


def live_build(request: FiveSetsRequest, row: FiveSetsResult) -> None:
    """Draw the buttons, and the image under construction or the latest finished one."""
    job: Job[BuiltImage] | None = st.session_state.get(_JOB)
    if job is not None and job.wait(_QUICK):
        _finish(job)
        job = None
    _restore(request, row)
    _buttons(request)
    with st.container(key="build place"):
        if job is not None:
            _draw_live(_jobs(request), job)
            return
        if note := st.session_state.get(_NOTE):
            st.info(note, icon=":material/info:")
        built: BuiltImage | None = st.session_state.get(_LATEST)
        if built is None:
            data = finished_data(row.image(D_R.name), row.names, "As in the row above.")
        else:
            names = built.image.predictions[0].names
            data = finished_data(built.image, names, "Added to “made here” below.")
        _draw(key="build still", data=data)


def _buttons(request: FiveSetsRequest) -> None:
    """One for each set; that of the image below is in colour."""
    latest: BuiltImage | None = st.session_state.get(_LATEST)
    shown = st.session_state.get(_NAME) or (latest.request.name if latest else D_R.name)
    with st.container(horizontal=True, key="build buttons"):
        for name in CONSTRUCTIONS:
            kind: Literal["primary", "secondary"] = "primary" if name == shown else "secondary"
            st.button(
                BUTTONS[name],
                type=kind,
                on_click=_start,
                args=(name, request),
                key=f"build {name}",
            )


def _restore(request: FiveSetsRequest, row: FiveSetsResult) -> None:
    """Have the image again that was built before the page was loaded again, if the address says so.

    The row has the same one: it is built from the same source in the same way.
    """
    allow(BUILT, CONSTRUCTIONS)
    name = stored_value(BUILT, lambda text: text if text in CONSTRUCTIONS else None, "")
    latest: BuiltImage | None = st.session_state.get(_LATEST)
    shown = shown_request()
    if name and latest is None and shown is not None and shown.key == request.key:
        latest = BuiltImage(BuildRequest(request, name, 0), row.source, row.image(name))
        st.session_state[_LATEST] = latest
        add_to_session(latest)
    is_of_row = latest is not None and latest.request.row.key == request.key
    if latest is not None:
        st.session_state[BUILT] = latest.request.name if is_of_row else ""
        write_value(BUILT, st.session_state[BUILT] or None)


@report_errors()
def _start(name: str, request: FiveSetsRequest) -> None:
    st.session_state[_PRESSES] = st.session_state.get(_PRESSES, 0) + 1
    st.session_state[_NAME] = name
    build = BuildRequest(request, name, st.session_state[_PRESSES])
    # The job itself is stored: submitting the request again in each run would start a cancelled job
    # anew.
    work = partial(build_image, build)
    st.session_state[_JOB] = _jobs(request).submit("build", build.key, work, background=True)
    st.session_state[_NOTE] = None


def _jobs(request: FiveSetsRequest) -> SessionJobs:
    return session_jobs(str(classifier(request.pair.standard.name).device))


def _finish(job: Job[BuiltImage]) -> None:
    """Store the image of a finished job, or a note that says why there is none."""
    del st.session_state[_JOB]
    if job.done and job.result is not None:
        st.session_state[_LATEST] = job.result
        add_to_session(job.result)
    elif job.error is not None:
        st.session_state[_NOTE] = sentence(job.error)
    else:
        st.session_state[_NOTE] = "It was cancelled; nothing was added."


def _draw_live(jobs: SessionJobs, job: Job[BuiltImage]) -> None:
    """The image at its latest step; the page runs again when the job has finished."""
    st.button("Cancel", icon=":material/close:", on_click=job.cancel, key="build cancel")
    follow_bar(job, lambda: status_text(jobs, job, _status))
    follow_preview(job, lambda frame, key: _draw(key=key, data=frame_data(frame)), "build live")


def _status(job: Job[BuiltImage]) -> str:
    done, steps = job.progress
    return f"Building: step {done} of {steps}" if done else "About to start"


def frame_data(frame: ConstructionFrame) -> dict[str, Any]:
    """Everything that the browser shows of an image under construction."""
    return {
        **_chart(frame.name, list(frame.objective), frame.steps),
        "start": _picture(frame.start, "start"),
        "current": _picture(frame.image, f"step {frame.step} of {frame.steps}"),
        "note": "",
    }


def finished_data(image: SetImage, names: tuple[str, ...], note: str) -> dict[str, Any]:
    """The same for a finished image, with the predictions of the pair after the ``note``."""
    assert image.start is not None
    assert image.objective is not None
    objective = image.objective.tolist()
    start = "start"
    if image.from_noise:
        start = "start: noise"
    elif image.start_label is not None:
        start = f"start: {names[image.start_label]}"
    standard, robust = (
        f"“{prediction.name}” ({confidence_text(prediction.confidence)})"
        for prediction in image.predictions[:2]
    )
    label, look = names[image.label], f"{look_heading(image)} {looks_like(image, names)}"
    return {
        **_chart(image.name, objective, len(objective) - 1),
        "start": _picture(image.start, start),
        "current": _picture(image.image, f"labelled {label}; {look}"),
        "note": f"{note} The standard classifier says {standard}, the robust one {robust}.",
    }


def _chart(name: str, values: list[float], steps: int) -> dict[str, Any]:
    construction = CONSTRUCTIONS[name]
    return {
        "name": SETS[name].short,
        "unit": objective_words(construction.matches_features),
        "values": values,
        "steps": steps,
        "colour": palette.ROBUST if construction.robust else palette.STANDARD,
    }


def _picture(image: Tensor, text: str) -> dict[str, Any]:
    pixelated = max(image.shape[-2:]) < PIXELATED_BELOW
    return {"src": data_uri(to_png(image), "image/png"), "text": text, "pixelated": pixelated}
