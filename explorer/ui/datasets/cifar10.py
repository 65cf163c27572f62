"""CIFAR-10 in the set browser: a button that downloads it while it is not on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from explorer.datasets.cifar10 import ARCHIVE_BYTES, download_cifar10
from explorer.files import data_folder
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.mode import is_public, may_fetch

_WORKER, _PLACE = "downloads", "cifar10"
_REQUESTED = "cifar10 requested"  # in the session's state
_MB = 1_000_000


def offers_cifar10() -> bool:
    """Whether CIFAR-10 is on this machine or may be downloaded."""
    return has_cifar10_folder() or may_fetch()


def has_cifar10_folder() -> bool:
    """Whether torchvision's folder exists. Only reading the data shows whether it is complete."""
    return (data_folder() / "cifar-10-batches-py").is_dir()


def cifar10_download() -> None:
    """Draw the button or the progress of the download; the page runs again when it is finished."""
    if st.button(
        f"Download CIFAR-10 ({ARCHIVE_BYTES // _MB} MB)",
        icon=":material/download:",
        key="download_cifar10",
    ):
        st.session_state[_REQUESTED] = True
    if not is_public():
        folder = plain(str(data_folder().resolve()))
        st.caption(f"Stored in {folder}; you can also copy it there yourself.")
    if not st.session_state.get(_REQUESTED):
        return
    jobs = session_jobs(_WORKER)
    job = jobs.submit(_PLACE, _PLACE, _download)
    show_progress(jobs, job, _PLACE, _status, keep=False)
    if job.finished:
        st.session_state[_REQUESTED] = False  # after a failure the visitor decides what to do
    if job.done:
        st.rerun()


def _status(job: Job[Any]) -> str:
    done, total = job.progress
    size = f": {done // _MB} of {total // _MB} MB" if total else ""
    return f"Downloading CIFAR-10{size}"


def _download(job: Job[Path]) -> Path:
    def on_bytes(done: int, total: int) -> None:
        job.progress = done, total

    return download_cifar10(on_bytes=on_bytes, cancelled=job.cancelled)
