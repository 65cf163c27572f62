"""ε under the finger: a slider and the curve of confidence against ε, which move the triptychs.

All ε that were computed are in the browser (``ladder_rungs.py``); nothing is asked of the server
while the slider moves. Where it is let go the page is asked for the exact result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.experiments.one_image.report import AttackReport
from explorer.figures import palette
from explorer.ui.components.component import component
from explorer.ui.jobs.budget import duration
from explorer.ui.shared.attack_widgets import MAX_LINF, l2_range
from explorer.ui.shared.ladder_job import RUNGS, LadderState
from explorer.ui.shared.rung_data import point_data

LINF_STEP = 0.25  # levels of 255, as the slider among the controls has it
LARGE_STEPS = 8  # steps of a press on PageUp

_draw = component(__file__, "epsilon_chart", "dock")


@dataclass(frozen=True)
class LiveLadder:
    """The ladder of one triptych.

    ``place`` is the triptych's key, ``report`` the exact result that it shows. ``title``,
    ``colour`` and ``dash`` tell several ladders apart; without a title there is one, whose curves
    are those of its classes.
    """

    place: str
    report: AttackReport
    state: LadderState
    title: str = ""
    colour: str = palette.LABEL
    dash: str = ""  # of its curve, in the form of SVG


def live_epsilon(
    ladders: Sequence[LiveLadder],
    key: str,
    on_epsilon: Callable[[float], None],
    *,
    bars: bool = True,
) -> None:
    """Draw slider, curves and ``bars`` for ``ladders``, whose reports have one norm and one ε.

    ``on_epsilon`` gets the ε that the visitor chose, in the unit of the controls: levels of 255 for
    L∞, pixels of [0, 1] for L2.
    """

    def report_epsilon() -> None:
        epsilon = st.session_state[key].get("epsilon")
        if isinstance(epsilon, int | float) and 0 <= epsilon <= data["largest"]:
            on_epsilon(float(epsilon))

    data = {**live_data(ladders), "has_bars": bars}
    _draw(key=key, data=data, on_epsilon_change=report_epsilon)


def live_data(ladders: Sequence[LiveLadder]) -> dict[str, Any]:
    """What the browser needs beside the rungs. ``unit`` of ``value`` are one pixel of [0, 1]."""
    report = ladders[0].report
    norm, epsilon = report.recipe.norm, report.recipe.epsilon
    unit = 255 if norm == "linf" else 1
    size = (report.original.shape[-2], report.original.shape[-1])
    largest, step = (MAX_LINF, LINF_STEP) if norm == "linf" else l2_range(size)[1:]
    return {
        "value": round(epsilon * unit, 6),
        "unit": unit,
        "suffix": "/255" if norm == "linf" else "",
        "largest": largest,
        "step": step,
        "large_step": LARGE_STEPS * step,
        "norm": "L∞" if norm == "linf" else "L2",
        "expected": RUNGS,
        "original_colour": palette.ORIGINAL,
        "ladders": [_ladder_data(ladder) for ladder in ladders],
    }


def _ladder_data(ladder: LiveLadder) -> dict[str, Any]:
    report, state = ladder.report, ladder.state
    return {
        "place": ladder.place,
        "title": ladder.title,
        "id": state.id,
        "is_complete": state.encoded is not None,
        "is_warm": not report.recipe.is_fgsm,
        "message": _message(state),
        "exact": point_data(report, report.recipe.epsilon, report.recipe.norm),
        "curves": _curves(ladder),
    }


def _message(state: LadderState) -> str:
    """Why there are no other ε, if there will be none."""
    if state.encoded is not None:
        return ""
    if state.job is None:
        needed = duration(state.seconds)
        return f"Attacks at other ε would take this machine about {needed} in the background."
    if state.job.error is not None:
        return f"The attacks at other ε could not be computed: {state.job.error}."
    return ""


def _curves(ladder: LiveLadder) -> list[dict[str, str]]:
    report = ladder.report
    if ladder.title:
        return [_curve("label", ladder.title, ladder.colour, ladder.dash)]
    curves = [
        _curve("predicted", "the class it predicts", palette.PREDICTED, "2 3"),
        _curve("label", f"label: {report.names[report.label]}", palette.LABEL, ""),
    ]
    if report.target is not None:
        name = f"target: {report.names[report.target]}"
        curves.append(_curve("target", name, palette.TARGET, ""))
    return curves


def _curve(of: str, name: str, colour: str, dash: str) -> dict[str, str]:
    return {"of": of, "name": name, "colour": colour, "dash": dash}
