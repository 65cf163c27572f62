"""Weights that are fetched where a person asks for it: the button, the progress, and what went wrong."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Entry
from explorer.classifiers.downloads import fetch_weights
from explorer.ui.components.markdown import sentence
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job

_LANE = "downloads"
_MB = 1e6
_QUICK = 0.1  # seconds


def fetch_button(entry: Entry, below: DeltaGenerator) -> None:
    """The button with the size on it; while its file arrives, how far it is; ``below`` takes what was wrong, if anything."""
    key = f"fetching {entry.name}"
    job: Job[Path] | None = st.session_state.get(key)
    if job is not None and job.wait(_QUICK):
        del st.session_state[key]
        if job.done:
            st.rerun()
        st.session_state[f"failed {entry.name}"] = (
            job.error or "It was stopped. What arrived is kept: fetching goes on from there."
        )
        job = None
    with st.container(key=f"fetch place {entry.name}"):
        if job is not None:
            _watch(job, entry)
            return
        size = f" {entry.bytes / _MB:.0f} MB" if entry.bytes else ""
        st.button(
            f"Fetch{size}",
            icon=":material/download:",
            key=f"fetch {entry.name}",
            on_click=_press,
            args=(entry,),
            width="stretch",
        )
    if failed := st.session_state.get(f"failed {entry.name}"):
        below.warning(sentence(failed))


def _press(entry: Entry) -> None:
    st.session_state.pop(f"failed {entry.name}", None)
    job = session_jobs(_LANE).submit(
        entry.name, (entry.name, object()), partial(_fetch, entry.name)
    )
    st.session_state[f"fetching {entry.name}"] = job


@st.fragment(run_every=0.25)
def _watch(job: Job[Any], entry: Entry) -> None:
    """A bar that follows the file; the page runs again when it is here."""
    if job.finished:
        st.rerun()
    done, total = job.progress
    waiting = session_jobs(_LANE).worker.ahead(job)
    of = f" of {total / _MB:.1f}" if total else ""
    text = (
        f"Waiting for {waiting} other file{'s' if waiting > 1 else ''}"
        if waiting
        else f"{done / _MB:.1f}{of} MB"
    )
    st.progress(min(done / total, 1.0) if total else 0.0, text)
    st.button("Stop", icon=":material/close:", on_click=job.cancel, key=f"stop {entry.name}")


def _fetch(name: str, job: Job[Path]) -> Path:
    def on_bytes(done: int, total: int | None) -> None:
        job.progress = done, total or 0

    return fetch_weights(name, on_bytes=on_bytes, cancelled=job.cancelled)
