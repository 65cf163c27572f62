"""The attack a visitor sees first."""

from __future__ import annotations

from explorer.classifiers import ClassifierError
from explorer.experiments.recipe import Recipe
from explorer.ui.models import classifier, entries
from explorer.ui.picker import default_sample, gallery_picture
from explorer.ui.question import Question

EPSILON = 3 / 255


def showcase() -> Question:
    """The first bundled classifier on the first sample that suits it.

    Raises :class:`ClassifierError` when there is no classifier, :class:`~explorer.images.decode.ImageError` when no sample.
    """
    names = list(entries())
    if not names:
        raise ClassifierError("There is no classifier yet: python -m explorer train tiny12-standard makes one.")
    model = classifier(names[0])
    picture = gallery_picture(default_sample(model), model.gallery)
    return Question(picture, Recipe(picture.source, names[0], "linf", EPSILON, steps=40))
