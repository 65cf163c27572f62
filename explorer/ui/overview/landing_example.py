"""The attacks that a visitor sees first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.classifiers import ClassifierError
from explorer.experiments.effort import QUICK_STEPS, RULE
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.captions import NORM_NAMES
from explorer.ui.shared.attack_controls import is_quick, step_values
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.classifiers import NO_CLASSIFIER, best_imagenet, classifier, entries
from explorer.ui.shared.image_picker import default_sample, gallery_picture
from explorer.ui.shared.panda import GIBBON, LEVELS, panda

EPSILON = 5 / 255


@dataclass(frozen=True)
class LandingExamples:
    """The ``first`` attack, and ``one_step`` of FGSM with the same ε.

    ``is_panda`` says whether the picture is that of Goodfellow et al. (2015).
    """

    first: AttackRequest
    one_step: AttackRequest
    is_panda: bool


def landing_examples() -> LandingExamples:
    """The attacks for this machine.

    The picture is the panda if there is an ImageNet classifier, else a sample that suits the
    classifier. Raises :class:`~explorer.classifiers.ClassifierError` if there is no classifier and
    :class:`~explorer.images.decode.ImageError` if there is no sample.
    """
    by_name = entries()
    if not by_name:
        raise ClassifierError(NO_CLASSIFIER)
    standard = (entry for entry in by_name.values() if not entry.robust)
    entry = by_name.get(best_imagenet() or "") or next(standard, next(iter(by_name.values())))
    model = classifier(entry.name)
    sample = panda() if model.gallery == "imagenet" else None
    picture = gallery_picture(sample or default_sample(model), model.gallery)
    if sample is None:
        recipe = Recipe(picture.source, entry.name, "linf", EPSILON, QUICK_STEPS, rule=RULE)
    else:
        recipe = Recipe(picture.source, entry.name, "linf", LEVELS / 255, QUICK_STEPS, rule=RULE)
        recipe = replace(recipe, target=model.find_label(GIBBON))
    first = AttackRequest(picture, recipe)
    one_step = AttackRequest(picture, replace(recipe, target=None).fgsm())
    return LandingExamples(first, one_step, sample is not None)


def control_values(request: AttackRequest) -> dict[str, str]:
    """The values of the attack page's controls for this L∞ attack on a sample, by widget key."""
    recipe = request.recipe
    values = {
        "model": recipe.model,
        "image": request.picture.title,
        "norm": NORM_NAMES[recipe.norm],
        "linf": f"{255 * recipe.epsilon:.6g}",
        "method": "PGD",
    }
    if not is_quick(recipe):
        values |= step_values(recipe)
    if recipe.target is not None:
        values["target"] = classifier(recipe.model).labels[recipe.target]
    return values
