"""CIFAR-10 in the set browser: its test images where they are on this machine, else a button that fetches them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from explorer.datasets.cifar10 import ARCHIVE_BYTES, download_cifar10
from explorer.datasets.labelled import DataError
from explorer.files import data_folder
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job, Refused

_WANTED = "cifar wanted"
_LANE = "downloads"
_MB = 1_000_000


def cifar_here() -> bool:
    """Whether torchvision's folder is there; whether it is whole is seen when it is read."""
    return (data_folder() / "cifar-10-batches-py").is_dir()


def fetch_cifar() -> None:
    """The button, and the progress of what it began; the page runs again when the data are there."""
    if st.button(
        f"Download CIFAR-10 ({ARCHIVE_BYTES // _MB} MB)",
        icon=":material/download:",
        key="fetch_cifar",
    ):
        st.session_state[_WANTED] = True
    st.caption(f"It is kept in {data_folder().resolve()}, and can be put there by hand too.")
    if not st.session_state.get(_WANTED):
        return
    way = session_jobs(_LANE)
    job = way.submit("cifar10", "cifar10", _fetch)
    show_progress(way, job, "cifar10", _words, keep=False)
    if job.finished:
        st.session_state[_WANTED] = False  # after a failure the person decides whether to try again
    if job.done:
        st.rerun()


def _words(job: Job[Any]) -> str:
    done, total = job.progress
    return (
        f"Fetching CIFAR-10: {done // _MB} of {total // _MB} MB" if total else "Fetching CIFAR-10"
    )


def _fetch(job: Job[Path]) -> Path:
    def on_bytes(done: int, total: int) -> None:
        job.progress = done, total

    try:
        return download_cifar10(on_bytes=on_bytes, cancelled=job.cancelled)
    except DataError as error:
        raise Refused(str(error)) from None
