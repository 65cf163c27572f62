"""The section on the dispute: an attack that does not transfer, who says what, and questions."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.before_and_after import ChangedPicture, changed_pictures
from explorer.experiments.dispute import Dispute, dispute, dispute_rows
from explorer.experiments.dispute_recipe import DisputeRecipe
from explorer.experiments.fooled_share import FooledShare, predictions
from explorer.experiments.measured import DISPUTE
from explorer.experiments.sweep.image_set import read_image_sets
from explorer.experiments.sweep.set_attack import pixels_of
from explorer.experiments.universal import check_same_input
from explorer.images.distances import perturbation_image
from explorer.ui.components.markdown import plain, unbroken
from explorer.ui.components.plot import draw_plot
from explorer.ui.jobs.job import Job
from explorer.ui.lab.changed_row import caption, picture_row
from explorer.ui.lab.dispute_controls import LINKED as LINKED
from explorer.ui.lab.dispute_controls import choose_dispute
from explorer.ui.lab.dispute_figures import own_figures
from explorer.ui.lab.dispute_words import CLAIM, OBJECTIONS, QUESTIONS
from explorer.ui.lab.judged_classifiers import loader, weights_of
from explorer.ui.lab.keys import PAGE
from explorer.ui.lab.measured_table import measured_table, share_table, training_table
from explorer.ui.lab.section_exports import section_exports
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.known_result import Shown, known_or_computed
from explorer.ui.shared.last_request import chosen_or_last
from explorer.ui.shared.own_question import is_own_question

_PLACE = "lab dispute"
_SHARED = {"cifar10-d_nr", "cifar10-d_rand", "cifar10-d_det"}
_READING = """
How to read it: D_NR, D_rand and D_det were built with the classifier “CIFAR-10 standard”. What was
trained on them has learned little but the non-robust features of that classifier, so that attacks
on such features fool it most. A classifier that random noise fools as often says nothing about
transfer.
"""
_ATTACKS = {"ordinary": "PGD", "not to transfer": "built not to transfer", "noise": "random noise"}
MAX_FIRST = 50  # images among which the one is looked for
EXPERIMENT = """
**The test.** Two attacks try to fool the same classifier, with the same ε. Ordinary PGD has no
other aim. The second must also leave an ensemble of other classifiers right, as Nakkiran's attack
does. If all adversarial examples were features of the data, it could not succeed without fooling
others too.
"""


@dataclass(frozen=True, eq=False)
class _Answer:
    """The result, and one image under both attacks."""

    result: Dispute
    recipe: DisputeRecipe
    pictures: tuple[ChangedPicture, ...]


def draw(results: DeltaGenerator) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    with results:
        st.markdown(CLAIM)
        st.markdown(EXPERIMENT)
    recipe, is_chosen = chosen_or_last(f"{_PLACE} asked", choose_dispute, results)
    with results:
        shown = None if recipe is None else _draw_answer(recipe)
        _words()
    if recipe is None or shown is None or not (is_chosen and shown.is_current):
        return None
    if shown.result is None:
        return None
    with results:
        _exports(shown.result)
    return _key(recipe)


def _draw_answer(recipe: DisputeRecipe) -> Shown[_Answer]:
    device = str(classifier(recipe.models[0]).device)
    with st.container(key=f"{_PLACE} result"):
        shown = known_or_computed(
            *(PAGE, _PLACE, _key(recipe), device, _work(recipe), _doing, _draw_pictures),
            is_own=is_own_question(recipe.models, data=recipe.data),
        )
        if shown.result is not None:
            _show(shown.result)
    return shown


def _key(recipe: DisputeRecipe) -> Hashable:
    return recipe.command(), weights_of(recipe.models)


def _work(recipe: DisputeRecipe) -> Callable[[Job[_Answer]], _Answer]:
    attacked = recipe.models[0]
    load, load_few = loader(list(recipe.models)), loader([attacked, *recipe.ensemble])

    def work(job: Job[_Answer]) -> _Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        def show(result: Dispute) -> None:
            job.preview = _pictures(result, few[attacked])

        job.next_step()
        few = load_few()
        check_same_input(few)
        own = _read(recipe, few)
        job.preview = changed_pictures(few[attacked], own[attacked], lambda pixels, _: pixels, 1)
        first = _first(recipe, few, own)
        if first is not None:
            show(first)
        job.next_step()
        models = load()
        check_same_input(models)
        result = dispute(
            models,
            recipe.ensemble,
            _read(recipe, models),
            recipe.attack,
            on_step=count,
            on_preview=show,
            cancelled=job.next_step,
        )
        pictures = _pictures(result, models[attacked])
        return _Answer(result, recipe.with_surroundings(models), pictures)

    return work


def _read(recipe: DisputeRecipe, models: dict[str, Classifier]) -> dict[str, LabelledImages]:
    sets = read_image_sets(recipe.data, list(models.values()), recipe.limit)
    return {name: each.data for name, each in zip(models, sets, strict=True)}


def _first(
    recipe: DisputeRecipe, models: dict[str, Classifier], data: dict[str, LabelledImages]
) -> Dispute | None:
    """The attacks on the first image that is right, shown while the others are attacked."""
    attacked = recipe.models[0]
    own = data[attacked]
    right = predictions(models[attacked], own.images[:MAX_FIRST]) == own.labels[:MAX_FIRST]
    rows = right.nonzero()[:1].flatten()
    if not len(rows):
        return None
    names = (attacked, *recipe.ensemble)
    return dispute(
        {name: models[name] for name in names},
        recipe.ensemble,
        {name: data[name].take(rows) for name in names},
        recipe.attack,
    )


def _pictures(result: Dispute, model: Classifier) -> tuple[ChangedPicture, ...]:
    """The first image as it is, and under each attack."""
    first = result.originals.take(torch.arange(1))
    changes = [outcome.images[:1] for outcome in result.outcomes.values()]
    return tuple(
        changed_pictures(model, first, partial(_replaced, images), 1)[0]
        for images in (pixels_of(first.images), *changes)
    )


def _replaced(images: Tensor, pixels: Tensor, positions: Tensor) -> Tensor:
    """``images`` in place of the pixels."""
    return images


def _doing(job: Job[Any]) -> str:
    done, total = job.progress
    return f"Attacking: step {done} of {total}" if total else "Reading the images"


def _draw_pictures(pictures: tuple[ChangedPicture, ...], key: str) -> None:
    """Draw the original and, as far as they are there, what both attacks made of it."""
    original, *attacked = pictures
    tiles = [(original.image, caption(original))]
    for title, each in zip(("by PGD", "built not to transfer"), attacked, strict=False):
        change = perturbation_image(each.image - original.image)
        tiles += [(change, f"change {title}"), (each.image, caption(each))]
    picture_row(tiles, key)


def _show(answer: _Answer) -> None:
    wait_for_imports("charts")
    from explorer.figures.dispute_files import AXIS, dispute_caption, dispute_series
    from explorer.figures.share_chart import share_chart

    result = answer.result
    _draw_pictures(answer.pictures, _PLACE)
    st.markdown(_sentence(result))
    chart = share_chart(dispute_series(result), AXIS)
    draw_plot(chart, key="lab dispute chart", alt=AXIS)
    st.caption(plain(dispute_caption(result, answer.recipe)) + ".")
    if _SHARED & set(answer.recipe.models[1:]):
        st.markdown(_READING)
    with st.expander("Table"):
        share_table(dispute_rows(result), "attack", _ATTACKS, "lab dispute table")
    measured_table(DISPUTE, "attack", _ATTACKS)
    training_table(
        {"none": "unchanged", "ordinary": "PGD's", "not to transfer": "those built not to transfer"}
    )


def _sentence(result: Dispute) -> str:
    """On how many images each attack succeeded, and how often what succeeded fools others."""
    ordinary, isolated = result.outcomes.values()
    inside, outside = (
        tuple(
            _counts(outcome.transfers, result.ensemble, within) for outcome in (ordinary, isolated)
        )
        for within in (True, False)
    )
    sentence = (
        f"**PGD fools {plain(ordinary.success.shown_as)} on {ordinary.success.fooled:,} of "
        f"{ordinary.success.n:,} images, the other attack on {isolated.success.fooled:,}.** What "
        f"fools it also fools the ensemble in {inside[0]} cases after PGD, and in {inside[1]} "
        "after the other attack"
    )
    if any(share.model not in result.ensemble for share in ordinary.transfers):
        sentence += f"; the classifiers outside of it in {outside[0]} and {outside[1]}"
    return f"{sentence}. A case is an image and a classifier that was right about it."


def _counts(shares: tuple[FooledShare, ...], ensemble: tuple[str, ...], within: bool) -> str:
    counted = [share for share in shares if (share.model in ensemble) == within]
    return f"{sum(each.fooled for each in counted)} of {sum(each.n for each in counted)}"


def _words() -> None:
    figures = own_figures()
    st.header("Who says what")
    st.markdown(unbroken(OBJECTIONS.format(**figures)))
    st.caption(
        unbroken(
            "Our own accuracies are on test images, unchanged unless an ε is named. They are in "
            "the cards of the bundled classifiers: small networks, trained on sets of 10,000 "
            "images. In brackets are 95 % Wilson intervals."
        )
    )
    st.header("What users ask the authors")
    st.markdown(unbroken(QUESTIONS.format(**figures)))


def _exports(answer: _Answer) -> None:
    def build() -> dict[str, bytes]:
        from explorer.figures.dispute_files import dispute_files

        return dispute_files(answer.result, answer.recipe)

    section_exports(LINKED, "dispute", build, answer.recipe.command("dispute"))
