"""The sidebar of the features page: its classifiers and the picture, which all sections share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st

from explorer.classifiers import Classifier
from explorer.experiments.compare import MAX_CLASSIFIERS, check_classifiers
from explorer.figures.series import classifier_colours
from explorer.ui.shared.attack_widgets import BIND, class_index, class_options
from explorer.ui.shared.classifier_choice import choose_classifiers, show_badges
from explorer.ui.shared.classifiers import (
    default_pair,
    entries,
    identity,
    load_for_page,
)
from explorer.ui.shared.image_picker import choose_picture
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.picture import Picture

PAGE = "features_"  # begins the keys of this page's widgets and values
MODELS, SECTION = f"{PAGE}models", f"{PAGE}section"
# The keys of the widgets that all sections share and that the page's address has.
LINKED = (SECTION, MODELS, f"{PAGE}source", f"{PAGE}image")


@dataclass(frozen=True)
class FeaturesRequest:
    """The picture, and the two to four classifiers that are asked about it, loaded, by name.

    Any thread may use it, as it asks nothing of the visitor's session. ``is_chosen`` is False for
    an earlier request, which stands while the controls have a mistake.
    """

    picture: Picture
    models: Mapping[str, Classifier]
    is_chosen: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classifiers."""
        return tuple(self.models)

    def colour(self, name: str) -> str:
        """The colour of the classifier ``name`` on the page."""
        colours = classifier_colours(model.robust for model in self.models.values())
        return colours[self.names.index(name)]

    @property
    def key(self) -> Hashable:
        """Equal for requests with equal pictures and weights: a part of the key of each result."""
        models = self.models.items()
        return self.picture.digest, tuple((name, identity(model)) for name, model in models)


class Chosen(NamedTuple):
    """The picture and the names of the classifiers. A session may keep it: it has no weights."""

    picture: Picture
    names: tuple[str, ...]

    def load(self, *, is_chosen: bool) -> FeaturesRequest:
        """The request, for the script of a page.

        Raises :class:`~explorer.errors.UserError` for a classifier that can't be loaded.
        """
        models = {name: load_for_page(name) for name in self.names}
        return FeaturesRequest(self.picture, models, is_chosen)


def choose() -> Chosen:
    """The choices of the sidebar.

    Raises :class:`~explorer.errors.UserError` for fewer than two classifiers and for one that can't
    be loaded.
    """
    known = entries()
    names = choose_classifiers(MODELS, known, default_pair(known), MAX_CLASSIFIERS)
    show_badges(names, known)
    models = {name: load_for_page(name) for name in names or default_pair(known)[:1]}
    picture = choose_picture(next(iter(models.values())), PAGE)
    check_classifiers(names)  # not before, so that all controls are there
    return Chosen(picture, tuple(names))


def choose_class(
    request: FeaturesRequest, title: str, key: str, empty: str, help_: str
) -> int | None:
    """A class of the first classifier, or None where the visitor chose none."""
    options = class_options(request.models[request.names[0]].labels)
    allow(key, options)
    chosen = st.selectbox(
        title, options, index=None, key=key, bind=BIND, placeholder=empty, help=help_
    )
    return class_index(options, chosen)
