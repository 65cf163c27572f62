"""The choice of several classifiers, in the page's address, and their badges below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from explorer.classifiers import ClassifierError, Entry
from explorer.ui.components.markdown import plain
from explorer.ui.shared.address import remember_lost
from explorer.ui.shared.classifiers import NO_CLASSIFIER
from explorer.ui.shared.linked_choices import linked_multiselect, titles_of
from explorer.ui.shared.words import badge


def choose_classifiers(
    key: str,
    known: Mapping[str, Entry],
    default: Sequence[str],
    most: int,
    *,
    numbers: str = "two to four",
    note: str = "The picture's samples and the names of the classes are those of the first one.",
) -> list[str]:
    """The names chosen among ``known``, at most ``most``; a link may leave any number.

    ``numbers`` says how many there should be, and ``note`` what the first one decides. Raises
    :class:`~explorer.classifiers.ClassifierError` where there is no classifier.
    """
    if not known:
        raise ClassifierError(NO_CLASSIFIER)
    remember_lost(key, known)
    return linked_multiselect(
        "Classifiers",
        titles_of(list(known), known),
        default,
        key=key,
        most=most,
        placeholder=numbers,
        help=f"{numbers.capitalize()}. {note}",
    )


def show_badges(names: Sequence[str], known: Mapping[str, Entry]) -> None:
    """A line for each classifier: standard or robust, and its title."""
    for name in names:
        st.markdown(f"{badge(known[name])} :small[{plain(known[name].title)}]")
