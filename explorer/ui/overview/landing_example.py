"""The attacks that a visitor sees first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.classifiers import ClassifierError, Entry
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.captions import NORM_NAMES
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.classifiers import NO_CLASSIFIER, best_imagenet, classifier, entries
from explorer.ui.shared.image_picker import default_sample, gallery_picture
from explorer.ui.shared.panda import GIBBON, LEVELS, STEPS, panda

EPSILON = 5 / 255


@dataclass(frozen=True)
class LandingExamples:
    """The ``first`` attack; one step of FGSM with the same ε, if the first one is the panda's; and
    an attack on a ``robust`` classifier, after the same on a standard one if the first has other
    classes.
    """

    first: AttackRequest
    one_step: AttackRequest | None
    robust: tuple[AttackRequest, ...]


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
    picture = panda() if model.gallery == "imagenet" else None
    if picture is None:
        first = _attack(entry)
        return LandingExamples(first, None, _robust(entry, first, by_name))
    chosen = gallery_picture(picture, model.gallery)
    target = model.find_label(GIBBON)
    recipe = Recipe(chosen.source, entry.name, "linf", LEVELS / 255, STEPS, target=target)
    first = AttackRequest(chosen, recipe)
    one_step = AttackRequest(chosen, replace(recipe, target=None).fgsm())
    return LandingExamples(first, one_step, _robust(entry, first, by_name))


def _attack(entry: Entry) -> AttackRequest:
    """An attack on the first sample that suits a classifier."""
    model = classifier(entry.name)
    picture = gallery_picture(default_sample(model), model.gallery)
    return AttackRequest(picture, Recipe(picture.source, entry.name, "linf", EPSILON, STEPS))


def _robust(
    entry: Entry, first: AttackRequest, by_name: dict[str, Entry]
) -> tuple[AttackRequest, ...]:
    """The first attack on a robust classifier of the same data as ``entry``.

    If there is none, an attack on a standard and on a robust classifier of other data.
    """
    robust = [each for each in by_name.values() if each.robust and each.name != entry.name]
    for each in robust:
        if each.data == entry.data:
            return (replace(first, recipe=replace(first.recipe, model=each.name)),)
    for each in robust:
        same_data = (other for other in by_name.values() if other.data == each.data)
        standard = next((other for other in same_data if not other.robust), None)
        if standard is not None:
            attack = _attack(standard)
            return attack, replace(attack, recipe=replace(attack.recipe, model=each.name))
    return ()


def control_values(request: AttackRequest) -> dict[str, str]:
    """The values of the attack page's controls for this L∞ attack on a sample, by widget key."""
    recipe = request.recipe
    values = {
        "model": recipe.model,
        "image": request.picture.title,
        "norm": NORM_NAMES[recipe.norm],
        "linf": f"{255 * recipe.epsilon:.6g}",
        "method": "PGD",
        "steps": str(recipe.steps),
    }
    if recipe.target is not None:
        values["target"] = classifier(recipe.model).labels[recipe.target]
    return values
