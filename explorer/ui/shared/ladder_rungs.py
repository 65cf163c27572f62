"""Sends rungs of a ladder to the browser, where the live ε finds them. Nothing is seen of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.ui.components.component import component
from explorer.ui.jobs.progress import follow
from explorer.ui.shared.ladder_job import PARTS, LadderState

_send = component(__file__)


def send_rungs(state: LadderState, place: str) -> None:
    """Send the rungs for the triptych ``place``: those that there are, and others as they come.

    Each part is an element with a key and data that stay the same, so that a browser gets it once.
    """
    with st.container(key=f"rungs {place}", gap=None):
        _send_or_follow(state, place)


def _send_or_follow(state: LadderState, place: str) -> None:
    if state.encoded is not None:
        for index, part in enumerate(state.encoded.parts):
            _send_part(state, place, index, part)
        return
    job = state.job
    if job is None or job.finished:
        return
    for index in range(len(PARTS)):

        def is_there(index: int = index) -> bool:
            return job.preview is not None and len(job.preview) > index

        def draw(slot: Any, index: int = index) -> None:
            if job.preview is not None and len(job.preview) > index:
                with slot.container():
                    _send_part(state, place, index, job.preview[index])

        follow(job, draw, is_there)


def _send_part(state: LadderState, place: str, index: int, rungs: Sequence[dict[str, Any]]) -> None:
    data = {"place": place, "ladder": state.id, "rungs": list(rungs)}
    _send(key=f"rungs {index} {place}", data=data)
