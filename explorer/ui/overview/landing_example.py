"""The attacks that a visitor sees first."""

from __future__ import annotations

from dataclasses import replace

from explorer.classifiers import ClassifierError
from explorer.experiments.one_image.recipe import Recipe
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.classifiers import NO_CLASSIFIER, best_imagenet, classifier, entries
from explorer.ui.shared.image_picker import default_sample, gallery_picture
from explorer.ui.shared.panda import GIBBON, LEVELS, STEPS, panda

EPSILON = 5 / 255


def landing_examples() -> list[AttackRequest]:
    """An attack on the best standard classifier, then the same on a robust one, if there is one.

    The picture is the panda if this machine has an ImageNet classifier, else a sample that suits
    the classifier. Raises :class:`~explorer.classifiers.ClassifierError` if there is no classifier
    and :class:`~explorer.images.decode.ImageError` if there is no sample.
    """
    by_name = entries()
    if not by_name:
        raise ClassifierError(NO_CLASSIFIER)
    standard = (entry for entry in by_name.values() if not entry.robust)
    first = by_name.get(best_imagenet() or "") or next(standard, next(iter(by_name.values())))
    robust = (
        entry
        for entry in by_name.values()
        if entry.robust and entry.name != first.name and entry.data == first.data
    )
    model = classifier(first.name)
    sample = panda() if model.gallery == "imagenet" else None
    picture = gallery_picture(sample or default_sample(model), model.gallery)
    epsilon = LEVELS / 255 if sample else EPSILON
    target = model.find_label(GIBBON) if sample else None
    recipe = Recipe(picture.source, first.name, "linf", epsilon, STEPS, target=target)
    requests = [AttackRequest(picture, recipe)]
    if (sibling := next(robust, None)) is not None:
        requests.append(AttackRequest(picture, replace(recipe, model=sibling.name)))
    return requests
