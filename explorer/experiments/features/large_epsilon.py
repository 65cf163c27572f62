"""Targeted attacks with a large ε: on a robust classifier the picture becomes the target.

Tsipras et al. 2019 (arXiv 1805.12152, figure 3) and Santurkar et al. 2019 (arXiv 1906.09453) show
what such attacks make of pictures. Whether a picture shows the target is asked of the other
classifiers too: what only the attacked one sees, people do not see either.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from explorer.classifiers import Classifier
from explorer.experiments.compare import matching_class, recipes_for
from explorer.experiments.features.asked import (
    FeatureError,
    IsCancelled,
    OnStep,
    precision_option,
)
from explorer.experiments.one_image.attack_image import attack_image, predict
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport
from explorer.experiments.picture_transfer import Transfer, transfers_between
from explorer.images.geometry import preprocess

SHARES = (0.25, 0.5, 1.0)  # of ε, each an attack
STEPS = 40
_STEP_FACTOR = 2.5  # as Madry et al. 2018: all steps together could reach the border 2.5 times
_EPSILON_AT_32 = 6.0  # twelve times the ε that cifar10-robust was trained with


@dataclass(frozen=True)
class LargeEpsilon:
    """One classifier's attacks with growing ε, the largest last.

    ``name`` is the classifier's in recipes, ``title`` what the pages call it. ``seen_by`` has what
    each of the other classifiers says of the last adversarial picture.
    """

    name: str
    title: str
    robust: bool
    reports: tuple[AttackReport, ...]
    seen_by: tuple[Transfer, ...]

    @property
    def target_name(self) -> str:
        """The name of the class that the attack aims at."""
        report = self.reports[-1]
        assert report.target is not None
        return report.names[report.target]


def default_epsilon(size: tuple[int, int]) -> float:
    """The L2 radius that the question begins with for pictures of ``size`` (height, width).

    It is as large per pixel for every size.
    """
    return round(_EPSILON_AT_32 * math.sqrt(size[0] * size[1]) / 32, 1)


def large_epsilon_recipe(
    image: str,
    model: str,
    epsilon: float,
    target: int | None,
    *,
    steps: int = STEPS,
    precision: str = "auto",
) -> Recipe:
    """The recipe of the attack with the full ε: L2, in equal steps from the picture itself.

    ``target`` None stands for :func:`default_target`. The steps are equal, as the default's first
    step of ε would jump over all that lies between.
    """
    return Recipe(
        image=image,
        model=model,
        norm="l2",
        epsilon=epsilon,
        steps=steps,
        step_size=_STEP_FACTOR * epsilon / steps if steps else None,
        random_start=False,
        target=target,
        precision=precision,
    )


def default_target(classifiers: Mapping[str, Classifier], picture: Image.Image) -> int:
    """A class of the first classifier that the picture could become.

    It is the most probable one for the last classifier among those that none of them predicts and
    all of them have. Raises :class:`FeatureError` if there is none.
    """
    models = list(classifiers.values())
    predictions = [predict(model, preprocess(picture, model)[None])[0] for model in models]
    probable = predictions[-1].probabilities.argsort(descending=True, stable=True)
    for index in probable.tolist():
        target = matching_class(index, models[-1].labels, models[0].labels)
        own = [
            None if target is None else matching_class(target, models[0].labels, model.labels)
            for model in models
        ]
        if target is not None and not any(
            each is None or each == prediction.index
            for each, prediction in zip(own, predictions, strict=True)
        ):
            return target
    raise FeatureError(
        "the classifiers have no class in common that could be a target; choose classifiers of the "
        "same data"
    )


def large_epsilon_command(answers: Sequence[LargeEpsilon], image: str, out: str = "out") -> str:
    """The command that makes the same attacks on the picture ``image`` and writes to ``out``."""
    recipes = [each.reports[-1].recipe for each in answers]
    words = ["python", "-m", "explorer", "large-epsilon", image]
    words += ["--model", *(each.name for each in answers)]
    words += ["--epsilon", f"{recipes[0].epsilon:g}", "--target", str(recipes[0].target)]
    words += ["--steps", str(recipes[0].steps), *precision_option(recipes)]
    return shlex.join([*words, "--out", out])


def large_epsilon(
    classifiers: Mapping[str, Classifier],
    picture: Image.Image,
    recipe: Recipe,
    *,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[LargeEpsilon, ...]:
    """Attack ``picture`` on each of the classifiers towards the target of ``recipe``.

    The recipe, as of :func:`large_epsilon_recipe`, has the largest ε; its target is a class of the
    first classifier, by default :func:`default_target`. :data:`SHARES` of that ε are attacked as
    well, with the same share of its steps' size. ``on_step(done, total)`` counts the steps of all
    attacks. Raises :class:`~explorer.errors.UserError` for what can't be attacked, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    if recipe.target is None:
        recipe = replace(recipe, target=default_target(classifiers, picture))
    recipes = recipes_for(classifiers, recipe)
    total, done = len(recipes) * len(SHARES) * recipe.steps, 0
    reports: dict[str, list[AttackReport]] = {name: [] for name in recipes}
    for name, own in recipes.items():
        pixels = preprocess(picture, classifiers[name], recipe.crop)
        for share in SHARES:

            def count(step: int, steps: int, loss: float, done: int = done) -> None:
                if on_step is not None:
                    on_step(done + step, total)

            step_size = None if own.step_size is None else share * own.step_size
            smaller = replace(own, epsilon=share * own.epsilon, step_size=step_size)
            report = attack_image(
                classifiers[name], pixels, smaller, on_step=count, cancelled=cancelled
            )
            reports[name].append(report)
            done += recipe.steps
    last = {name: own[-1] for name, own in reports.items()}
    transfers = transfers_between(classifiers, recipes, last, cancelled=cancelled)
    return tuple(
        LargeEpsilon(
            name,
            classifiers[name].title,
            classifiers[name].robust,
            tuple(own),
            tuple(each for each in transfers if each.made_on == name != each.shown_to),
        )
        for name, own in reports.items()
    )
