"""Stop 2: a pixel of the panda, its gradient, and the step that its sign decides."""

from __future__ import annotations

import streamlit as st

from explorer.experiments.one_image.pixel_steps import (
    PixelSteps,
    follow_pixels,
    recipe_of_few_steps,
)
from explorer.figures.captions import confidence_text
from explorer.images.geometry import preprocess
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.overview.computed import computed
from explorer.ui.overview.landing_example import control_values, landing_examples
from explorer.ui.overview.links import to_attack
from explorer.ui.overview.pixel_view import LEVELS, pixel_view, signed
from explorer.ui.overview.places import Places
from explorer.ui.overview.questions import answer, ask
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.stored_value import stored_value, whole_number

STEPS = 8
PIXEL = "tour_pixel"  # in the session's state and the address: row and column, as 12-40
_BRIGHTER, _DARKER = "brighter", "darker"


def show(places: Places) -> None:
    """Draw the stop."""
    first = landing_examples().first
    request = AttackRequest(first.picture, recipe_of_few_steps(first.recipe, STEPS))
    with places.picture:
        with places.status:
            steps = _steps(request)
        picture = st.container()
    if steps is None:
        return
    row, column = _pixel(steps)
    channel = int(steps.gradient[:, row, column].abs().argmax())
    name = ("red", "green", "blue")[channel] if len(steps.gradient) > 1 else "grey"
    slope = float(steps.gradient[channel, row, column])
    chosen = ask(
        "step",
        f"The {name} value of the marked pixel has the gradient {signed(slope)}. Does the step "
        "make it brighter or darker?",
        [_BRIGHTER, _DARKER],
    )
    with picture:
        st.caption("Click a pixel, or move the mark with the arrow keys.")
        pixel_view(steps, (row, column), "tour_pixels", _choose, is_answered=chosen is not None)
    answer(chosen, _BRIGHTER if slope > 0 else _DARKER, _explanation(steps))
    to_attack("Take these steps yourself", _values(request))


def _steps(request: AttackRequest) -> PixelSteps | None:
    model = classifier(request.recipe.model)

    def work(job: Job[PixelSteps]) -> PixelSteps:
        pixels = preprocess(request.picture.image, model, request.recipe.crop)
        return follow_pixels(
            model, pixels, request.recipe, on_step=job.on_step, cancelled=job.next_step
        )

    key = (*request.key, identity(model))
    return computed("tour steps", key, model, work, "Following the pixels", units=STEPS + 1)


def _pixel(steps: PixelSteps) -> tuple[int, int]:
    """The pixel that the visitor has chosen, at first the one with the largest gradient."""
    height, width = steps.frames.shape[-2:]

    def read(text: str) -> str | None:
        row, _, column = text.partition("-")
        is_pixel = whole_number(0, height - 1)(row), whole_number(0, width - 1)(column)
        return None if None in is_pixel else text

    row, _, column = stored_value(PIXEL, read, _text(steps.steepest)).partition("-")
    return int(row), int(column)


def _choose(pixel: tuple[int, int]) -> None:
    st.session_state[PIXEL] = _text(pixel)


def _text(pixel: tuple[int, int]) -> str:
    row, column = pixel
    return f"{row}-{column}"


def _explanation(steps: PixelSteps) -> str:
    report = steps.report
    if report.target is None:
        aim = f"away from “{plain(report.names[report.label])}”"
    else:
        aim = f"towards “{plain(report.names[report.target])}”"
    size = (report.recipe.step_size or 0) * LEVELS
    return (
        f"A positive gradient means that a larger value leads {aim}, so the step goes up; with a "
        f"negative gradient it goes down. It is equally long, {size:.3g} of 255, however large the "
        f"gradient is. After {report.recipe.steps} such steps for all pixels the classifier says "
        f"“{plain(report.after.name)}” at {confidence_text(report.after.confidence)}."
    )


def _values(request: AttackRequest) -> dict[str, str]:
    """The controls of the attack page for this attack."""
    size = (request.recipe.step_size or 0) * LEVELS
    return {**control_values(request), "random": "false", "step_linf": f"{size:.6g}"}
