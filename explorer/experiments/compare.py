"""One picture and one attack on several classifiers: each result, noise, and who fools whom."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from explorer.classifiers import Classifier
from explorer.errors import UserError, named_twice
from explorer.experiments.noise_control import NoiseControl, noise_control
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport
from explorer.experiments.picture_transfer import Transfer, transfers_between
from explorer.experiments.trust import Caveat, check_report
from explorer.images.geometry import preprocess

MIN_CLASSIFIERS, MAX_CLASSIFIERS = 2, 4
OnStep = Callable[[int, int], None]
IsCancelled = Callable[[], bool]


class CompareError(UserError):
    """Classifiers or settings that can't be compared."""


@dataclass(frozen=True)
class Control:
    """What was tried beside an attack: ``noise`` of its size, and checks that gave ``caveats``."""

    noise: NoiseControl
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True)
class ComparedClassifier:
    """What an attack did to one classifier, and the control.

    ``name`` is the classifier's in recipes, ``title`` what the pages call it.
    """

    name: str
    title: str
    robust: bool
    report: AttackReport
    control: Control

    @property
    def noise(self) -> NoiseControl:
        """What noise of the perturbation's size did."""
        return self.control.noise


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
    weights: Mapping[str, str | None] | None = None,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> Comparison:
    """Attack ``picture`` on each of the classifiers, 2 to 4 by name, as ``recipe`` says.

    The recipe's label and target are classes of the first classifier; see :func:`recipes_for`,
    which also says what ``weights`` are. ``on_step(done, total)`` counts the steps of all attacks.
    Raises :class:`~explorer.errors.UserError` for what can't be compared or attacked, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    recipes = recipes_for(classifiers, recipe, weights)
    total = len(recipes) * recipe.steps
    reports: dict[str, AttackReport] = {}
    for name, own_recipe in recipes.items():
        done = len(reports) * recipe.steps

        def count(step: int, steps: int, loss: float, done: int = done) -> None:
            if on_step is not None:
                on_step(done + step * recipe.steps // steps, total)

        pixels = preprocess(picture, classifiers[name], recipe.crop)
        reports[name] = attack_image(
            classifiers[name], pixels, own_recipe, on_step=count, cancelled=cancelled
        )
    controls = {
        name: control_of(classifiers[name], report, cancelled=cancelled)
        for name, report in reports.items()
    }
    transfers = transfers_between(classifiers, recipes, reports, cancelled=cancelled)
    return comparison_of(classifiers, recipes, reports, controls, transfers)


def control_of(
    classifier: Classifier, report: AttackReport, *, cancelled: IsCancelled | None = None
) -> Control:
    """Noise of the size of the attack in ``report``, and whether that attack can be trusted.

    Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    noise = noise_control(classifier, report, cancelled=cancelled)
    return Control(noise, check_report(classifier, report, cancelled=cancelled))


def comparison_of(
    classifiers: Mapping[str, Classifier],
    recipes: Mapping[str, Recipe],
    reports: Mapping[str, AttackReport],
    controls: Mapping[str, Control],
    transfers: tuple[Transfer, ...],
) -> Comparison:
    """The comparison of what was computed for each classifier, by name, with notes on it."""
    compared = tuple(
        ComparedClassifier(
            name, classifiers[name].title, classifiers[name].robust, report, controls[name]
        )
        for name, report in reports.items()
    )
    return Comparison(compared, transfers, _notes(classifiers, recipes))


def check_classifiers(names: Sequence[str]) -> None:
    """Raise :class:`CompareError` unless these are 2 to 4 names of different classifiers."""
    if wrong := named_twice(names, "classifier"):
        raise CompareError(wrong)
    if not MIN_CLASSIFIERS <= len(names) <= MAX_CLASSIFIERS:
        advice = "add another one" if len(names) == 1 else "choose so many"
        raise CompareError(
            f"a comparison takes {MIN_CLASSIFIERS} to {MAX_CLASSIFIERS} classifiers, and this has "
            f"{len(names)}; {advice}"
        )


def recipes_for(
    classifiers: Mapping[str, Classifier],
    recipe: Recipe,
    weights: Mapping[str, str | None] | None = None,
) -> dict[str, Recipe]:
    """The recipe for each of the classifiers, by name. ``weights`` are files with those that are
    not their own.

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
        recipes[name] = replace(
            recipe, model=name, weights=(weights or {}).get(name), label=label, target=target
        )
    return recipes


def command_of(recipe: Recipe, names: Sequence[str], out: str = "out") -> str:
    """The command that compares these classifiers in the same way and writes to ``out``."""
    start, image, option, _, *settings = shlex.split(recipe.command(out))[3:]
    assert (start, option) == ("attack", "--model")
    words = ["python", "-m", "explorer", "compare", image, option, *names, *settings]
    return shlex.join(words)


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
