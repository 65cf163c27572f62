"""The section on adversarial patches: a small picture that works wherever it sticks."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from explorer.experiments.fitting_images import read_fitting_images
from explorer.experiments.patch import Patch, adversarial_patch, scored_patch
from explorer.experiments.patch_recipe import PatchRecipe, patch_rows, targets_of
from explorer.ui.components.markdown import plain, unbroken
from explorer.ui.components.plot import draw_plot
from explorer.ui.jobs.job import Job
from explorer.ui.lab.changed_row import picture_row
from explorer.ui.lab.judged_classifiers import loader, weights_of
from explorer.ui.lab.keys import PAGE
from explorer.ui.lab.measured_table import share_table
from explorer.ui.lab.patch_controls import KEYS, PatchRequest, choose_patch
from explorer.ui.lab.patch_controls import LINKED as LINKED
from explorer.ui.lab.section_exports import section_exports
from explorer.ui.lab.stuck_picture import draw_stuck
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.known_result import known_or_computed
from explorer.ui.shared.own_picture import picture_notice
from explorer.ui.shared.own_question import is_own_question

_PLACE = "lab patch"
_PATCHES = {"fitted": "the patch", "noise": "a patch of random noise"}
_EXPLANATION = (
    "A patch does not change every pixel a little: it is a conspicuous sticker that makes a "
    "classifier say its target for nearly any picture. Stick it on one, also on a photograph of "
    "your own; or print it and hold it into the camera."
)
_WHY = r"""
Each step sticks the patch $p$ on other pictures, at random places, sizes and rotations $t$, and
raises the mean probability of the target $\hat y$ (Brown et al. 2017, “Adversarial Patch”):

$$
\max_p\; \mathbb E_{x,\, t}\, \log \Pr\big(\hat y \mid A(p, x, t)\big)
$$

A classifier names one thing, and the patch wins if the classifier responds to it more than to
anything else in the picture. People see the patch: this attack is not hidden, and has no
$\varepsilon$.
"""


@dataclass(frozen=True, eq=False)
class _Answer:
    result: Patch
    recipe: PatchRecipe


def draw(results: DeltaGenerator) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    with results:
        st.markdown(_EXPLANATION)
    with st.sidebar:
        request = choose_patch()
    picture_notice(results, KEYS)
    with results:
        live = st.container(key="lab patch live")
        if request.bundled is not None:
            with live:
                draw_stuck(request, request.bundled.pixels)
        recipe = request.recipe
        device = str(classifier(recipe.models[0]).device)
        key = _key(request)
        shown = known_or_computed(
            *(PAGE, _PLACE, key, device, _work(request), _doing, _draw_preview),
            is_own=is_own_question(recipe.models),
        )
        answer: _Answer | None = shown.result
        if answer is not None and shown.is_current:
            if request.bundled is None:
                with live:
                    draw_stuck(request, answer.result.pixels)
            _show(answer)
            _exports(answer)
        with st.expander("Why does this work?", icon=":material/help:"):
            st.markdown(_WHY)
    return (key, request.place, request.picture.digest) if shown.is_current else None


def _key(request: PatchRequest) -> Hashable:
    return request.recipe.command(), weights_of(request.recipe.models)


def _work(request: PatchRequest) -> Callable[[Job[_Answer]], _Answer]:
    recipe, bundled = request.recipe, request.bundled
    load = loader(list(recipe.models))

    def work(job: Job[_Answer]) -> _Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        def show(patch: Tensor) -> None:
            job.preview = patch

        job.next_step()
        models, attack = load(), recipe.attack
        fit, others = read_fitting_images(recipe.source, models)
        targets = targets_of(models, attack.target)
        if bundled is not None:
            result = scored_patch(
                bundled.pixels,
                bundled.fitted,
                models,
                others,
                targets,
                attack,
                on_step=count,
                cancelled=job.next_step,
            )
        else:
            result = adversarial_patch(
                models,
                fit,
                others,
                targets,
                attack,
                on_step=count,
                on_preview=show,
                cancelled=job.next_step,
            )
        return _Answer(result, recipe.with_surroundings(models))

    return work


def _doing(job: Job[Any]) -> str:
    done, total = job.progress
    return f"Fitting and scoring: step {done} of {total}" if total else "Reading the pictures"


def _draw_preview(patch: Tensor, key: str) -> None:
    picture_row([(patch, "the patch so far")], key)


def _show(answer: _Answer) -> None:
    wait_for_imports("charts")
    from explorer.figures.patch_files import AXIS, patch_caption, patch_series
    from explorer.figures.share_chart import share_chart, share_sentence

    result, recipe = answer.result, answer.recipe
    share, noise = result.shares[0], result.noise[0]
    sentence = (
        f"**With the patch, {plain(share.shown_as)} says “{plain(recipe.target)}” for "
        f"{share_sentence(share, 'sample pictures')}.** With a patch of random noise: "
        f"{share_sentence(noise)}."
    )
    st.markdown(unbroken(sentence))
    chart = share_chart(patch_series(result), AXIS)
    draw_plot(chart, key="lab patch chart", alt=AXIS)
    st.caption(plain(patch_caption(result, recipe)) + ".")
    with st.expander("Table"):
        share_table(patch_rows(result), "patch", _PATCHES, "lab patch table")


def _exports(answer: _Answer) -> None:
    def build() -> dict[str, bytes]:
        from explorer.figures.patch_files import patch_files

        return patch_files(answer.result, answer.recipe)

    section_exports(LINKED, "patch", build, answer.recipe.command("patch"))
