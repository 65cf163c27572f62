"""The attack a visitor sees first: the famous panda where a classifier that knows pandas is here, else what the bundled ones know."""

from __future__ import annotations

from explorer.classifiers import ClassifierError, Entry
from explorer.experiments.one_image.recipe import Recipe
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.classifiers import best_imagenet, classifier, entries
from explorer.ui.shared.image_picker import default_sample, gallery_picture
from explorer.ui.shared.panda import GIBBON, LEVELS, STEPS, panda

EPSILON = 5 / 255


def landing_example() -> list[tuple[Entry, AttackRequest]]:
    """The best standard classifier on a picture that suits it; then the same on a robust one for such pictures, if any.

    Raises :class:`ClassifierError` when there is no classifier, :class:`~explorer.images.decode.ImageError` when no sample.
    """
    found = entries()
    if not found:
        raise ClassifierError(
            "There is no classifier yet: python -m explorer train tiny12-standard makes one."
        )
    standard = next(
        (entry for entry in found.values() if not entry.robust), next(iter(found.values()))
    )
    first = found.get(best_imagenet() or "", standard)
    sibling = next(
        (
            entry
            for entry in found.values()
            if entry.robust and entry.name != first.name and entry.data == first.data
        ),
        None,
    )
    model = classifier(first.name)
    sample = panda() if model.gallery == "imagenet" else None
    picture = gallery_picture(sample or default_sample(model), model.gallery)
    epsilon = LEVELS / 255 if sample else EPSILON
    target = model.find_label(GIBBON) if sample else None
    return [
        (
            entry,
            AttackRequest(
                picture, Recipe(picture.source, entry.name, "linf", epsilon, STEPS, target=target)
            ),
        )
        for entry in (first, sibling)
        if entry is not None
    ]
