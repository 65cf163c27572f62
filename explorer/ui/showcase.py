"""The attack a visitor sees first."""

from __future__ import annotations

from explorer.classifiers import ClassifierError, Entry
from explorer.experiments.recipe import Recipe
from explorer.ui.models import classifier, entries
from explorer.ui.picker import default_sample, gallery_picture
from explorer.ui.question import Question

EPSILON = 5 / 255


def showcase() -> list[tuple[Entry, Question]]:
    """The first standard classifier on the first sample that suits it; then the same on a robust one for such pictures, if any.

    Raises :class:`ClassifierError` when there is no classifier, :class:`~explorer.images.decode.ImageError` when no sample.
    """
    found = list(entries().values())
    if not found:
        raise ClassifierError("There is no classifier yet: python -m explorer train tiny12-standard makes one.")
    first = next((entry for entry in found if not entry.robust), found[0])
    sibling = next((entry for entry in found if entry.robust and entry is not first and entry.data == first.data), None)
    model = classifier(first.name)
    picture = gallery_picture(default_sample(model), model.gallery)
    return [
        (entry, Question(picture, Recipe(picture.source, entry.name, "linf", EPSILON, steps=40)))
        for entry in (first, sibling)
        if entry is not None
    ]
