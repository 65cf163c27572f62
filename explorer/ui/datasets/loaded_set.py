"""A set that is open: what the grid shows, and what the sidebar takes an image from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from explorer.classifiers import Classifier
from explorer.ui.shared.picture import Picture

if TYPE_CHECKING:  # reading sets imports pyarrow, which the first picture need not wait for
    from explorer.datasets.constructed.read import ConstructedSet
    from explorer.ui.datasets.request import BuiltImage

SOURCE_SET, _BROWSED = "source set", "browsed set"  # in the session's state


@dataclass(frozen=True)
class LoadedSet:
    """A set under the name it was chosen by; ``made`` has what its images were made from where that happened on this page, and
    ``titles`` are the samples of the gallery where it is one, ``sources`` those its source indices stand for."""

    title: str
    set: ConstructedSet
    made: tuple[BuiltImage, ...] = ()
    titles: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def sample(self, index: int) -> str | None:
        """The sample of the gallery an image is, or was made from; None where it is none."""
        if self.sources:
            return self.sources[self.source_index(index)]
        return self.titles[index] if self.titles else None

    def wrong_for(self, model: Classifier) -> str | None:
        """Why the classifier can't be asked about these images; None when it can."""
        names, labels = self.set.data.names, model.labels
        if names and [name.casefold() for name in names] != [label.casefold() for label in labels]:
            return f"{self.title} has other classes than {model.name}, such as {names[0]!r}; choose classifiers of the same data."
        if not names and int(self.set.data.labels.max()) >= len(labels):
            return f"{self.title} has labels up to {int(self.set.data.labels.max())}, but {model.name} has {len(labels)} classes."
        return None

    def label(self, index: int) -> int:
        """The label an image carries."""
        return int(self.set.data.labels[index])

    def perceived_label(self, index: int) -> int | None:
        """The class a person sees, by what the image was made from; None where the set does not say."""
        if self.titles or self.set.name == "d_r":
            return self.label(index)
        told = self.set.start_label if self.set.name == "d_nr" else self.set.source_label
        return (
            int(told[index])
            if self.set.name and told is not None and int(told[index]) >= 0
            else None
        )

    def source_index(self, index: int) -> int:
        """Its place in the data the set was made from, or in the set where that is not known."""
        told = self.set.source_index
        return int(told[index]) if told is not None and int(told[index]) >= 0 else index

    def picture(self, index: int, model: Classifier) -> Picture:
        """An image of the set as a source."""
        image = Image.fromarray(self.set.data.images[index].permute(1, 2, 0).numpy())
        name = f"set:{self.title} {index}"
        return Picture(
            name,
            f"image {index} of {self.title}",
            image,
            f"{self.set.digest} {index}",
            "",
            self.label(index),
            model.gallery,
        )


def browsed_set() -> LoadedSet | None:
    """What the grid showed last."""
    found: LoadedSet | None = st.session_state.get(_BROWSED)
    return found


def keep_browsed(opened: LoadedSet | None) -> None:
    """Remember what the grid shows."""
    st.session_state[_BROWSED] = opened


def source_set() -> LoadedSet | None:
    """The set the source is taken from: that of the tile opened last, or else what the grid shows. It stays when the grid moves on."""
    if st.session_state.get(SOURCE_SET) is None:
        st.session_state[SOURCE_SET] = browsed_set()
    found: LoadedSet | None = st.session_state[SOURCE_SET]
    return found
