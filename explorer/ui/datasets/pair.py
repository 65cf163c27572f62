"""The pair of classifiers that the sets are built with, and others to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.classifiers import ClassifierError, Entry
from explorer.ui.components.markdown import plain, title_of
from explorer.ui.shared.address import refused_values, remember_lost
from explorer.ui.shared.classifiers import entries, load_functions
from explorer.ui.shared.link_words import no_longer_here
from explorer.ui.shared.linked_choices import linked_multiselect, linked_select, titles_of
from explorer.ui.shared.words import badge

_PAIR_HELP = (
    "D_R is built with the robust classifier, the other sets with the standard one. Both are asked "
    "about every image."
)


@dataclass(frozen=True)
class ClassifierPair:
    """A standard and a robust classifier of the same data."""

    standard: Entry
    robust: Entry

    @property
    def title(self) -> str:
        """What their titles have in common, or both titles."""
        common = self.standard.title.removesuffix("standard").rstrip(" ,")
        if common and common == self.robust.title.removesuffix("robust").rstrip(" ,"):
            return common
        return f"{self.standard.title} and {self.robust.title}"

    @property
    def name(self) -> str:
        """What their names have in common, or both names; the address has it."""
        common = self.standard.name.removesuffix("-standard")
        if self.robust.name == f"{common}-robust":
            return common
        return f"{self.standard.name} and {self.robust.name}"


def classifier_pairs(known: dict[str, Entry]) -> dict[str, ClassifierPair]:
    """Each robust classifier with the first standard one of the same data, by name.

    Those of CIFAR-10, the paper's data, come first.
    """
    pairs = []
    for robust in (entry for entry in known.values() if entry.robust):
        same_data = (each for each in known.values() if each.data == robust.data)
        standard = next((each for each in same_data if not each.robust), None)
        if standard is not None:
            pairs.append(ClassifierPair(standard, robust))
    pairs.sort(key=lambda pair: not pair.standard.name.startswith("cifar10"))
    return {pair.name: pair for pair in pairs}


def comparable_models(pair: ClassifierPair, known: dict[str, Entry]) -> list[str]:
    """The names of further classifiers with the same labels as the pair."""
    labels = pair.standard.card.labels if pair.standard.card else None
    in_pair = (pair.standard.name, pair.robust.name)
    return [
        entry.name
        for entry in known.values()
        if entry.name not in in_pair and entry.card and entry.card.labels == labels
    ]


def choose_pair() -> tuple[ClassifierPair, tuple[Entry, ...]]:
    """Let the visitor choose the pair and the classifiers to compare with.

    Raises :class:`ClassifierError` if there is no pair on this machine.
    """
    load_functions()  # whose entries then say whether they are robust
    known = entries()
    pairs = classifier_pairs(known)
    if not pairs:
        raise ClassifierError(
            "there is no standard and robust classifier of the same data; train them: "
            "python -m explorer train cifar10-standard, then cifar10-robust"
        )
    remember_lost("pair", pairs)
    titles = {name: each.title for name, each in pairs.items()}
    name = linked_select("Classifiers", titles, next(iter(pairs)), key="pair")
    pair = pairs[name]
    wanted = refused_values("pair").get("pair")
    if wanted is not None and not wanted.is_repeated:
        names = wanted.text.split(" and ")
        asked = " and ".join(map(title_of, names))
        missing = f"The link asks for the classifiers **{plain(asked)}**, which are not here."
        if wanted.is_lost:
            missing = no_longer_here(names)
        st.warning(
            f"{missing} Instead, this page uses **{plain(pair.title)}**; choose others in this "
            "list."
        )
    st.markdown(
        f"{badge(pair.standard)} {badge(pair.robust)} :small[{plain(pair.standard.data)}]",
        help=_PAIR_HELP,
    )
    comparable = comparable_models(pair, known)
    if not comparable:
        return pair, ()
    others = linked_multiselect(
        "Compare with",
        titles_of(comparable, known),
        (),
        key="others",
        help="These classifiers are only asked about the images; no set is built with them.",
    )
    return pair, tuple(known[name] for name in others)
