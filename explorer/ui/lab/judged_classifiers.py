"""The classifier that a section attacks, and the others that see the result."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import streamlit as st

from explorer.classifiers import Classifier, ClassifierError, Entry
from explorer.ui.components.markdown import plain
from explorer.ui.shared.address import remember_lost
from explorer.ui.shared.classifiers import (
    NO_CLASSIFIER,
    classifier_of,
    entries,
    file_stamp,
)
from explorer.ui.shared.linked_choices import linked_multiselect, linked_select, titles_of
from explorer.ui.shared.words import badge

MAX_JUDGES = 10


def choose_attacked(key: str, first: str) -> str:
    """The name of the attacked classifier; ``first`` at the start, if it is known.

    Raises :class:`~explorer.classifiers.ClassifierError` where there is none.
    """
    known = entries()
    if not known:
        raise ClassifierError(NO_CLASSIFIER)
    remember_lost(key, known)
    first = first if first in known else next(iter(known))
    name = linked_select("Attacked classifier", titles_of(list(known), known), first, key=key)
    st.markdown(f"{badge(known[name])} :small[{plain(known[name].title)}]")
    return name


def choose_judges(key: str, attacked: str, without: tuple[str, ...] = ()) -> list[str]:
    """The names of others that see the result; at the start all bundled ones of the data."""
    others = [name for name in others_of(attacked) if name not in without]
    if not others:
        st.caption("No other classifier here takes the same pictures.")
        return []
    remember_lost(key, entries())
    return linked_multiselect(
        "Other classifiers that see the result",
        titles_of(others, entries()),
        others[:MAX_JUDGES],
        key=key,
        most=MAX_JUDGES,
        placeholder="none",
        help="Classifiers for the same pictures. An attack that fools them too is said to "
        "transfer.",
    )


def others_of(attacked: str) -> list[str]:
    """The names of the other classifiers that take the same pictures."""
    known = entries()
    return [name for name in known if name != attacked and _takes_the_same(known, attacked, name)]


def loader(names: list[str]) -> Callable[[], dict[str, Classifier]]:
    """A function that loads the classifiers by name, for the thread of a job."""
    known = entries()
    chosen = {name: known[name] for name in names}
    return lambda: {name: classifier_of(entry) for name, entry in chosen.items()}


def weights_of(names: Sequence[str]) -> Hashable:
    """Equal as long as the classifiers' files are the same, which need not be read for that."""
    known = entries()
    return tuple((name, file_stamp(known[name])) for name in names)


def _takes_the_same(known: Mapping[str, Entry], one: str, other: str) -> bool:
    first, second = known[one], known[other]
    if first.card is None or second.card is None:
        return first.data == second.data
    return (first.card.labels, first.card.input_size) == (
        second.card.labels,
        second.card.input_size,
    )
