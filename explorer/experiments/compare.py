"""One picture and one attack on several classifiers: each result, noise, and who fools whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.errors import Cancelled, UserError
from explorer.experiments.noise_control import NoiseControl, noise_control
from explorer.experiments.one_image.attack_image import (
    attack_image,
    is_success,
    outcome_of,
    predict,
)
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.images.geometry import preprocess

MIN_CLASSIFIERS, MAX_CLASSIFIERS = 2, 4
OnStep = Callable[[int, int], None]
IsCancelled = Callable[[], bool]


class CompareError(UserError):
    """Classifiers or settings that can't be compared."""


@dataclass(frozen=True)
class ComparedClassifier:
    """What an attack did to one classifier, and what noise of the same size did.

    ``name`` is the classifier's in recipes, ``title`` what the pages call it.
    """

    name: str
    title: str
    robust: bool
    report: AttackReport
    noise: NoiseControl


@dataclass(frozen=True)
class TransferAnswer:
    """What a classifier says of another's original (``before``) and adversarial image (``after``).

    ``outcome`` is one of :data:`~explorer.experiments.one_image.report.OUTCOMES`, and ``success``
    as in :class:`AttackReport`, both by the label and the target of the classifier that answers.
    """

    before: Prediction
    after: Prediction
    outcome: str
    success: bool


@dataclass(frozen=True)
class Transfer:
    """The adversarial picture made on the classifier ``made_on``, shown to ``shown_to``.

    ``answer`` is None where it can't be shown; ``note`` says why, or how it was changed for that.
    """

    made_on: str
    shown_to: str
    answer: TransferAnswer | None
    note: str = ""


@dataclass(frozen=True)
class Note:
    """What limits a comparison: a ``code`` for programs, a ``text`` for people."""

    code: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """The classifiers in their order, and a :class:`Transfer` for each pair, also with itself."""

    classifiers: tuple[ComparedClassifier, ...]
    transfers: tuple[Transfer, ...]
    notes: tuple[Note, ...]

    def transfer(self, made_on: str, shown_to: str) -> Transfer:
        """The transfer between two of the classifiers, by name."""
        return next(
            each for each in self.transfers if (each.made_on, each.shown_to) == (made_on, shown_to)
        )


def compare(
    classifiers: Mapping[str, Classifier],
    picture: Image.Image,
    recipe: Recipe,
    *,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> Comparison:
    """Attack ``picture`` on each of the classifiers, 2 to 4 by name, as ``recipe`` says.

    The recipe's label and target are classes of the first classifier; see :func:`recipes_for`.
    ``on_step(done, total)`` counts the steps of all attacks. Raises
    :class:`~explorer.errors.UserError` for what can't be compared or attacked, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    recipes = recipes_for(classifiers, recipe)
    total = len(recipes) * recipe.steps
    reports: dict[str, AttackReport] = {}
    for name, own_recipe in recipes.items():
        done = len(reports) * recipe.steps

        def count(step: int, steps: int, loss: float, done: int = done) -> None:
            if on_step is not None:
                on_step(done + step, total)

        pixels = preprocess(picture, classifiers[name], recipe.crop)
        reports[name] = attack_image(
            classifiers[name], pixels, own_recipe, on_step=count, cancelled=cancelled
        )
    return comparison_of(classifiers, recipes, reports, cancelled=cancelled)


def comparison_of(
    classifiers: Mapping[str, Classifier],
    recipes: Mapping[str, Recipe],
    reports: Mapping[str, AttackReport],
    *,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> Comparison:
    """The comparison of finished attacks: ``reports`` of ``recipes`` on ``classifiers``, by name.

    ``on_step(done, total)`` counts the noise of each classifier and the transfers. Raises
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    names = list(reports)
    total, done = len(names) * (len(names) + 1), 0

    def next_part() -> None:
        nonlocal done
        if cancelled is not None and cancelled():
            raise Cancelled
        if on_step is not None:
            on_step(done, total)
        done += 1

    compared: list[ComparedClassifier] = []
    for name in names:
        next_part()
        model, report = classifiers[name], reports[name]
        noise = noise_control(model, report, cancelled=cancelled)
        compared.append(ComparedClassifier(name, model.title, model.robust, report, noise))
    transfers: list[Transfer] = []
    for made_on in names:
        for shown_to in names:
            next_part()
            transfers.append(_transfer(made_on, shown_to, classifiers, recipes, reports))
    return Comparison(tuple(compared), tuple(transfers), _notes(classifiers, recipes))


def check_classifiers(names: Sequence[str]) -> None:
    """Raise :class:`CompareError` unless these are 2 to 4 names of different classifiers."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CompareError(f"{twice} is named twice; name each classifier once")
    if not MIN_CLASSIFIERS <= len(names) <= MAX_CLASSIFIERS:
        raise CompareError(
            f"a comparison takes {MIN_CLASSIFIERS} to {MAX_CLASSIFIERS} classifiers; "
            f"these are {len(names)}"
        )


def recipes_for(classifiers: Mapping[str, Classifier], recipe: Recipe) -> dict[str, Recipe]:
    """The recipe for each of the classifiers, by name.

    The recipe's label and target are classes of the first classifier. The others have the class of
    the same name; one that lacks the label's takes its own prediction as the label. Raises
    :class:`CompareError` if one lacks the target, or for a number of classifiers other than 2 to 4.
    """
    check_classifiers(list(classifiers))
    labels = next(iter(classifiers.values())).labels
    recipes: dict[str, Recipe] = {}
    for name, model in classifiers.items():
        label, target = (
            None if index is None else matching_class(index, labels, model.labels)
            for index in (recipe.label, recipe.target)
        )
        if recipe.target is not None and target is None:
            raise CompareError(
                f"{model.title} has no class {labels[recipe.target]!r}; choose a target that all "
                "of the classifiers have, or none"
            )
        recipes[name] = replace(recipe, model=name, label=label, target=target)
    return recipes


def matching_class(index: int, labels: Sequence[str], others: Sequence[str]) -> int | None:
    """The class among ``others`` with the name of class ``index`` of ``labels``, or None.

    Letter case does not matter, nor do synonyms after a comma. Of two lists with equal names the
    classes match by index, and a name that several of the others have matches none of them.
    """
    names, other_names = list(map(_folded, labels)), list(map(_folded, others))
    if names == other_names:
        return index
    matches = [place for place, name in enumerate(other_names) if name == names[index]]
    return matches[0] if len(matches) == 1 else None


def _folded(name: str) -> str:
    return name.partition(",")[0].strip().casefold()


def _transfer(
    made_on: str,
    shown_to: str,
    classifiers: Mapping[str, Classifier],
    recipes: Mapping[str, Recipe],
    reports: Mapping[str, AttackReport],
) -> Transfer:
    report, model, own = reports[made_on], classifiers[shown_to], reports[shown_to]
    if made_on == shown_to:
        answer = TransferAnswer(report.before, report.after, report.outcome, report.success)
        return Transfer(made_on, shown_to, answer)
    channels, height, width = report.original.shape
    if channels != model.channels:
        takes = "grey pictures" if model.channels == 1 else "pictures in colour"
        return Transfer(made_on, shown_to, None, f"it takes {takes}")
    size, note = model.input_size, ""
    if size[0] * width != size[1] * height:
        return Transfer(made_on, shown_to, None, f"it takes pictures of {size[0]} × {size[1]}")
    pictures = torch.stack([report.original, report.adversarial])
    if size != (height, width):
        pictures = _resized(pictures, size)
        note = f"resized from {height} × {width} to {size[0]} × {size[1]}"
    before, after = predict(model, pictures)
    label = own.label
    if recipes[shown_to].label is None:  # its own prediction, for the picture as it is shown here
        label = before.index
    outcome = outcome_of(before.index, after.index, label, own.target)
    success = is_success(after.index, label, own.target)
    return Transfer(made_on, shown_to, TransferAnswer(before, after, outcome, success), note)


def _resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """The pictures [N, C, H, W] at ``size`` (height, width), bilinear and antialiased."""
    resized = nn.functional.interpolate(pictures, size, mode="bilinear", antialias=True)
    return resized.clamp(0, 1)


def _notes(
    classifiers: Mapping[str, Classifier], recipes: Mapping[str, Recipe]
) -> tuple[Note, ...]:
    """What a reader of the comparison should know."""
    notes: list[Note] = []
    asked = {
        name: classifiers[name].labels[recipe.label]
        for name, recipe in recipes.items()
        if recipe.label is not None
    }
    for name in recipes:
        if asked and name not in asked:
            label, title = next(iter(asked.values())), classifiers[name].title
            text = f"{title} has no class “{label}”, so its own prediction counts as right."
            notes.append(Note("label", text))
    sizes = {model.input_size for model in classifiers.values()}
    if len(sizes) > 1:
        shown = ", ".join(f"{height} × {width}" for height, width in sorted(sizes))
        text = f"The classifiers take pictures of different sizes ({shown}): transfers are resized"
        if any(recipe.norm == "l2" for recipe in recipes.values()):
            text += ", and the same L2 ε is less for each pixel of a larger picture"
        notes.append(Note("sizes", f"{text}."))
    return tuple(notes)
