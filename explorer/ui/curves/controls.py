"""The sidebar: what is asked, of which classifiers and pictures; all in the page's address."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st
from PIL import Image

from explorer.classifiers import Entry
from explorer.errors import UserError
from explorer.experiments.one_image.numbers import RecipeError
from explorer.experiments.sweep.epsilons import parse_epsilons
from explorer.experiments.sweep.image_set import GALLERY
from explorer.experiments.sweep.recipe import (
    SMALLEST,
    SWEEP,
    TRANSFER,
    ModelRecord,
    SetRecipe,
)
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.settings import MAX_SEED
from explorer.ui.curves.uploads import uploaded_pictures
from explorer.ui.shared.attack_widgets import BIND, choose_epsilon, choose_norm, choose_one
from explorer.ui.shared.classifier_choice import choose_classifiers, show_badges
from explorer.ui.shared.classifiers import entries, load_for_page
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_widgets import linked_number, linked_slider
from explorer.ui.shared.mode import is_public

PAGE = "curves_"  # begins the keys of this page's widgets and values
UPLOAD = f"{PAGE}upload"
QUESTIONS = {
    "Accuracy against ε": SWEEP,
    "Smallest ε of each picture": SMALLEST,
    "Transfer between classifiers": TRANSFER,
}
SAMPLES, OWN, DATA = "Sample pictures", "Your pictures", "A data set"
# The keys of the widgets whose values are in the page's address and restore the page.
LINKED = tuple(
    f"{PAGE}{key}"
    for key in (
        *("question", "models", "pictures", "data", "limit", "norm", "epsilon", "linf", "l2"),
        *("steps", "seed"),
    )
)
MAX_CLASSIFIERS, MAX_STEPS = 4, 100
MAX_IMAGES = 1000
_PAIR = ("cifar10-standard", "cifar10-robust")


@dataclass(frozen=True)
class SetRequest:
    """What the page is asked: a recipe, with ``pictures`` of the visitor's own by name.

    ``digest`` differs where these pictures do.
    """

    recipe: SetRecipe
    pictures: tuple[tuple[str, Image.Image], ...] = ()
    digest: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classifiers."""
        return tuple(model.name for model in self.recipe.models)

    @property
    def key(self) -> Hashable:
        """Equal for requests that have the same answer if the weights are the same."""
        return (self.recipe.command(), self.digest)


def choose_request() -> SetRequest:
    """All choices of the sidebar.

    Raises :class:`~explorer.errors.UserError` for those that can't be used.
    """
    allow(f"{PAGE}question", QUESTIONS, {name: title for title, name in QUESTIONS.items()})
    question = QUESTIONS[
        st.selectbox("Question", list(QUESTIONS), key=f"{PAGE}question", bind=BIND)
    ]
    names = _choose_classifiers(entries())
    first = load_for_page((names or default_models(entries()))[0])
    chosen = _choose_pictures()
    norm = choose_norm(PAGE)
    epsilons: tuple[float, ...] = ()
    asked = ""
    if question == SWEEP:
        asked = _choose_epsilons()
    elif question == TRANSFER:
        epsilons = (choose_epsilon(norm, first.input_size, PAGE),)
    with st.expander("More settings"):
        steps = linked_slider(
            "Steps",
            1,
            MAX_STEPS,
            20,
            key=f"{PAGE}steps",
            help="How many steps each attack takes. The attack at an ε goes on from the one at the "
            "next smaller ε.",
        )
        seed = linked_number("Seed", 0, MAX_SEED, 0, key=f"{PAGE}seed")
    _check(question, names, chosen)  # not before, so that all controls are there
    if question == SWEEP:
        try:
            epsilons = parse_epsilons(asked.split())
        except RecipeError as error:
            raise RecipeError(f"the values of ε can't be used: {error}") from None
    attack = SetAttack(norm, steps=int(steps), seed=int(seed))
    attack.check(epsilons or (0.0,))
    recipe = SetRecipe(
        question,
        tuple(map(ModelRecord, names)),
        attack,
        epsilons=epsilons,
        images=tuple(name for name, _ in chosen.pictures),
        data=chosen.data,
        limit=chosen.limit,
    )
    return SetRequest(recipe, chosen.pictures, chosen.digest)


def default_models(known: Mapping[str, Entry]) -> list[str]:
    """A standard and a robust classifier of the same data, or else the first two."""
    return [*_PAIR] if set(_PAIR) <= set(known) else list(known)[:2]


def _choose_classifiers(known: Mapping[str, Entry]) -> list[str]:
    names = choose_classifiers(
        f"{PAGE}models",
        known,
        default_models(known),
        MAX_CLASSIFIERS,
        numbers="one to four",
        note="The sample pictures are those that suit the first one.",
    )
    show_badges(names, known)
    return names


class _Chosen(NamedTuple):
    """The visitor's ``pictures`` and their ``digest``, or the source of a data set and its limit.

    The source is empty where none was named yet, and None for the visitor's pictures.
    """

    pictures: tuple[tuple[str, Image.Image], ...]
    digest: str
    data: str | None
    limit: int | None


def _check(question: str, names: list[str], chosen: _Chosen) -> None:
    """Raise :class:`~explorer.errors.UserError` for what is missing."""
    if question == TRANSFER and len(names) < 2:
        raise UserError("choose two classifiers or more: transfer is from one to another")
    if not names:
        raise UserError("choose one classifier or more")
    if chosen.data is None and not chosen.pictures:
        raise UserError("upload one picture or several, or choose the sample pictures")
    if chosen.data == "":
        raise UserError("name a data set, such as a folder with a sub-folder for each class")


def _choose_pictures() -> _Chosen:
    kinds = [SAMPLES, OWN] if is_public() else [SAMPLES, OWN, DATA]
    help_ = (
        "Sample pictures and data sets have labels. For your own pictures, what a classifier says "
        "of them before any attack counts as right."
    )
    kind = choose_one("Pictures", kinds, f"{PAGE}pictures", help_)
    if kind == OWN:
        pictures, digest = uploaded_pictures(UPLOAD)
        return _Chosen(pictures, digest, None, None)
    if kind == DATA:
        source = st.text_input(
            "Data set",
            key=f"{PAGE}data",
            bind=BIND,
            placeholder="a folder, a Parquet file, cifar10",
            help="A Parquet file, a folder with a sub-folder for each class, a built set, or "
            "cifar10: what the command line takes as --data.",
        )
        limit = linked_number("Use only the first", 1, MAX_IMAGES, 100, key=f"{PAGE}limit")
        return _Chosen((), "", source.strip(), int(limit))
    return _Chosen((), "", GALLERY, None)


def _choose_epsilons() -> str:
    return st.text_input(
        "ε",
        key=f"{PAGE}epsilon",
        bind=BIND,
        placeholder="until accuracy is about 0",
        help="Numbers, and ranges START:STOP:STEP, such as 0:1:0.05 or 0:8/255:1/255. If empty, ε "
        "grows until hardly any picture is still classified correctly.",
    )
