"""The download of a classifier's weights on the page: a button, the progress, and any error."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Entry
from explorer.classifiers.downloads import fetch_weights
from explorer.ui.components.markdown import sentence
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import follow_bar, waiting_text
from explorer.ui.jobs.sessions import session_jobs

_WORKER = "downloads"
_MB = 1e6
_QUICK = 0.1  # seconds: a download from this machine shows no progress bar
_STOPPED = "It was stopped. What arrived is kept: the next download continues from there."


def download_button(entry: Entry, below: DeltaGenerator) -> None:
    """Draw the button with the size of the file or, while it arrives, its progress.

    ``below`` is where an error is shown.
    """
    key, error_key = f"download job {entry.name}", f"download error {entry.name}"
    job: Job[Path] | None = st.session_state.get(key)
    if job is not None and job.wait(_QUICK):
        del st.session_state[key]
        if job.done:
            st.rerun()
        st.session_state[error_key] = job.error or _STOPPED
        job = None
    with st.container(key=f"download place {entry.name}"):
        if job is not None:
            _progress(job, entry)
            return
        size = f" {entry.bytes / _MB:.0f} MB" if entry.bytes else ""
        st.button(
            f"Download{size}",
            icon=":material/download:",
            key=f"download {entry.name}",
            on_click=_start,
            args=(entry,),
            width="stretch",
        )
    if error := st.session_state.get(error_key):
        below.warning(sentence(error))


def _start(entry: Entry) -> None:
    st.session_state.pop(f"download error {entry.name}", None)
    # The key is new each time: a download that failed is started again.
    job = session_jobs(_WORKER).submit(
        entry.name, (entry.name, object()), partial(_download, entry.name)
    )
    st.session_state[f"download job {entry.name}"] = job


def _progress(job: Job[Any], entry: Entry) -> None:
    """A bar that follows the file; the page runs again when the file is here."""
    worker = session_jobs(_WORKER).worker

    def text() -> str:
        before, _ = worker.ahead(job)
        if before:
            return waiting_text(before, "download")
        done, total = job.progress
        return f"{done / _MB:.1f}{f' of {total / _MB:.1f}' if total else ''} MB"

    follow_bar(job, text)
    st.button("Stop", icon=":material/close:", on_click=job.cancel, key=f"stop {entry.name}")


def _download(name: str, job: Job[Path]) -> Path:
    job.next_step()  # one download at a time

    def on_bytes(done: int, total: int | None) -> None:
        job.progress = done, total or 0

    return fetch_weights(name, on_bytes=on_bytes, cancelled=job.cancelled)
