"""A set that is open on the page: the grid shows it, and the sidebar takes an image from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.classifiers import Classifier
from explorer.images.geometry import picture_of
from explorer.ui.shared.address import is_step_in_history
from explorer.ui.shared.picture import Picture

if TYPE_CHECKING:  # reading sets imports pyarrow, which the first picture need not wait for
    from explorer.datasets.constructed.read import ConstructedSet
    from explorer.ui.datasets.request import BuiltImage

SOURCE_SET, _BROWSED_SET = "source set", "browsed set"  # in the session's state
ROW_SET = "row_set"  # there and in the address: the choice of the set that the source is from


@dataclass(frozen=True)
class LoadedSet:
    """A set with its ``title``, and the ``choice`` that opens it: one of the list, or a path.

    ``built`` are the requests and results of images that were built on this page. ``titles`` are
    the titles of the sample pictures if the set consists of them; ``sources`` are those that its
    source indices refer to.
    """

    title: str
    set: ConstructedSet
    built: tuple[BuiltImage, ...] = ()
    titles: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    choice: str = ""

    def sample(self, index: int) -> str | None:
        """The title of the sample picture that an image is or was built from, if it was one."""
        if self.sources:
            return self.sources[self.source_index(index)]
        return self.titles[index] if self.titles else None

    def mismatch(self, model: Classifier) -> str | None:
        """Why the classifier can't be asked about these images, or None if it can."""
        names, labels = self.set.data.names, model.labels
        if names and [name.casefold() for name in names] != [label.casefold() for label in labels]:
            return (
                f"{self.title} has other classes than {model.name}, such as {names[0]!r}; choose "
                "classifiers of the same data."
            )
        last = int(self.set.data.labels.max())
        if not names and last >= len(labels):
            return (
                f"{self.title} has labels up to {last}, but {model.name} has {len(labels)} "
                "classes; choose classifiers of the same data."
            )
        return None

    def label(self, index: int) -> int | None:
        """The label of an image, None if it has none."""
        label = int(self.set.data.labels[index])
        return label if label >= 0 else None

    def perceived_label(self, index: int) -> int | None:
        """The class that a person sees in an image, None if the set does not say it."""
        return self.label(index) if self.titles else self.set.perceived_label(index)

    def source_index(self, index: int) -> int:
        """The place of an image's source in its data; the image's own place if that is unknown."""
        sources = self.set.source_index
        return index if sources is None or sources[index] < 0 else int(sources[index])

    def picture(self, index: int, model: Classifier) -> Picture:
        """An image of the set as a source."""
        return Picture(
            f"set:{self.title} {index}",
            f"image {index} of {self.title}",
            picture_of(self.set.data.images[index]),
            f"{self.set.digest} {index}",
            label=self.label(index),
            gallery=model.gallery,
        )


def label_name(label: int | None, names: Sequence[str]) -> str:
    """What a tile is labelled."""
    if label is None:
        return "no label"
    return names[label] if label < len(names) else f"class {label}"


def browsed_set() -> LoadedSet | None:
    """The set that the grid showed last."""
    loaded: LoadedSet | None = st.session_state.get(_BROWSED_SET)
    return loaded


def set_browsed(loaded: LoadedSet | None) -> None:
    """Remember what the grid shows."""
    st.session_state[_BROWSED_SET] = loaded


def asked_set() -> str | None:
    """The choice of the set that the address wants the source from, None if it is that already.

    Only a new session and a step in the browser's history have to open it.
    """
    state, choice = st.session_state, st.query_params.get(ROW_SET)
    loaded: LoadedSet | None = state.get(SOURCE_SET)
    if loaded is not None and is_step_in_history() and loaded.choice != choice:
        loaded = state[SOURCE_SET] = None
    return choice if loaded is None else None


def source_set() -> LoadedSet | None:
    """The set that the source is taken from, which stays when the grid shows another one.

    It is the set of the tile that was opened last, or else the set in the grid.
    """
    if st.session_state.get(SOURCE_SET) is None:
        st.session_state[SOURCE_SET] = browsed_set()
    loaded: LoadedSet | None = st.session_state[SOURCE_SET]
    return loaded
