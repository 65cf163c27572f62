"""The section on universal perturbations: one change that fools a classifier on most images."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from explorer.experiments.before_and_after import ChangedPicture, changed_pictures
from explorer.experiments.fitting_images import read_fitting_images
from explorer.experiments.measured import UNIVERSAL
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.universal import Universal, adding, universal
from explorer.experiments.universal_recipe import UniversalRecipe, universal_rows
from explorer.images.distances import magnification, perturbation_image
from explorer.ui.components.markdown import plain, unbroken
from explorer.ui.components.plot import draw_plot
from explorer.ui.jobs.job import Job
from explorer.ui.lab.changed_row import changed_row
from explorer.ui.lab.judged_classifiers import loader, weights_of
from explorer.ui.lab.keys import PAGE
from explorer.ui.lab.measured_table import measured_table, share_table
from explorer.ui.lab.section_exports import section_exports
from explorer.ui.lab.universal_controls import LINKED as LINKED
from explorer.ui.lab.universal_controls import UniversalRequest, choose_universal
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.known_result import known_or_computed
from explorer.ui.shared.last_request import chosen_or_last
from explorer.ui.shared.own_question import is_own_question

_PLACE = "lab universal"
EXAMPLES = 7
_CHANGES = {"universal": "one perturbation", "noise": "random noise"}
_EXPLANATION = (
    "An attack usually computes a change for one picture. Here **one** change is computed for many "
    "pictures at once, and then added to others that it has never seen. Random noise of the same "
    "size is the control."
)
_WHY = r"""
Each step takes some of the images, and moves $\delta$ along the gradient of their losses:

$$
\max_{\|\delta\|_p \le \varepsilon}\; \sum_i \min\big(L(f(x_i + \delta), y_i),\, \beta\big)
$$

The limit $\beta$ keeps images that are fooled already from deciding where $\delta$ goes (Shafahi
et al. 2020, “Universal Adversarial Training”). That there is such a $\delta$ means that most images
can be attacked in the same direction (Moosavi-Dezfooli et al. 2017, “Universal Adversarial
Perturbations”). If it fools another classifier too, both rely on the same patterns.
"""


@dataclass(frozen=True, eq=False)
class _Picture:
    """δ so far, and the first of the other images with it."""

    delta: Tensor
    examples: tuple[ChangedPicture, ...]


@dataclass(frozen=True, eq=False)
class _Answer:
    result: Universal
    recipe: UniversalRecipe
    picture: _Picture


def draw(results: DeltaGenerator) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    with results:
        st.markdown(_EXPLANATION)
    request, is_chosen = chosen_or_last(f"{_PLACE} asked", choose_universal, results)
    question: Hashable | None = None
    with results:
        if request is not None and _draw_answer(request, is_chosen=is_chosen):
            question = _key(request)
        with st.expander("Why does this work?", icon=":material/help:"):
            st.markdown(_WHY)
    return question


def _draw_answer(request: UniversalRequest, *, is_chosen: bool) -> bool:
    """Draw the answer; whether it is there, and that to what the controls ask."""
    with st.container(key=f"{_PLACE} result"):
        shown = known_or_computed(
            *(PAGE, _PLACE, _key(request), _device(request), _work(request), _doing, _draw_picture),
            is_own=is_own_question(request.names, data=request.source.data),
        )
        answer: _Answer | None = shown.result
        if answer is None:
            return False
        _show(answer)
        if is_current := is_chosen and shown.is_current:
            _exports(answer)
        return is_current


def _key(request: UniversalRequest) -> Hashable:
    return UniversalRecipe(*request).command(), weights_of(request.names)


def _device(request: UniversalRequest) -> str:
    return str(classifier(request.names[0]).device)


def _work(request: UniversalRequest) -> Callable[[Job[_Answer]], _Answer]:
    load = loader(list(request.names))

    def work(job: Job[_Answer]) -> _Answer:
        job.next_step()
        models = load()
        attacked = models[request.names[0]]
        fit, others = read_fitting_images(request.source, models)

        def count(done: int, total: int) -> None:
            job.progress = done, total

        def picture(delta: Tensor) -> _Picture:
            examples = others[request.names[0]]
            return _Picture(delta, changed_pictures(attacked, examples, adding(delta), EXAMPLES))

        def show(delta: Tensor) -> None:
            job.preview = picture(delta)

        result = universal(
            models,
            fit,
            others,
            request.attack,
            on_step=count,
            on_preview=show,
            cancelled=job.next_step,
        )
        recipe = UniversalRecipe(*request).with_surroundings(models)
        return _Answer(result, recipe, picture(result.delta))

    return work


def _doing(job: Job[Any]) -> str:
    done, total = job.progress
    return f"Fitting and scoring: step {done} of {total}" if total else "Reading the images"


def _draw_picture(picture: _Picture, key: str) -> None:
    title = f"the change, magnified {magnification(picture.delta):.3g} ×"
    changed_row(perturbation_image(picture.delta), title, picture.examples, key)


def _show(answer: _Answer) -> None:
    wait_for_imports("charts")
    from explorer.figures.share_chart import share_chart, share_sentence
    from explorer.figures.universal_files import AXIS, universal_caption, universal_series

    result, attack = answer.result, answer.recipe.attack
    share, noise = result.shares[0], result.noise[0]
    _draw_picture(answer.picture, _PLACE)
    size = format_epsilon(attack.epsilon, attack.norm)
    sentence = (
        f"**One change with ε = {size} fools {plain(share.shown_as)} on "
        f"{share_sentence(share, 'pictures')}.** Random noise of the same size: "
        f"{share_sentence(noise)}."
    )
    st.markdown(unbroken(sentence))
    chart = share_chart(universal_series(result), AXIS)
    draw_plot(chart, key="lab universal chart", alt=AXIS)
    st.caption(plain(universal_caption(result, answer.recipe)) + ".")
    with st.expander("Table"):
        share_table(universal_rows(result), "change", _CHANGES, "lab universal table")
    measured_table(UNIVERSAL, "change", _CHANGES)


def _exports(answer: _Answer) -> None:
    def build() -> dict[str, bytes]:
        from explorer.figures.universal_files import universal_files

        return universal_files(answer.result, answer.recipe)

    section_exports(LINKED, "universal", build, answer.recipe.command("universal"))
