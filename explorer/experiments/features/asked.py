"""What the questions about features share: two to four classifiers, and one class for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from explorer.classifiers import Classifier
from explorer.errors import UserError
from explorer.experiments.compare import matching_class
from explorer.experiments.one_image.recipe import Recipe, common_precision
from explorer.experiments.one_image.report import Prediction

OnStep = Callable[[int, int], None]
IsCancelled = Callable[[], bool]


class FeatureError(UserError):
    """A question about features that can't be answered as it was asked."""


def classes_for(classifiers: Mapping[str, Classifier], index: int | None) -> dict[str, int | None]:
    """For each classifier, by name, its class of the name that ``index`` has in the first one.

    None stands for no such class, and for no ``index``. Raises :class:`FeatureError` for an
    ``index`` that the first classifier lacks.
    """
    first = next(iter(classifiers.values()))
    if index is None:
        return dict.fromkeys(classifiers)
    if not 0 <= index < len(first.labels):
        raise FeatureError(
            f"{first.name} has classes 0 to {len(first.labels) - 1}; {index} is none of them"
        )
    return {
        name: matching_class(index, first.labels, model.labels)
        for name, model in classifiers.items()
    }


def precision_option(recipes: Sequence[Recipe]) -> list[str]:
    """The option that repeats the precision of attacks that were run.

    Where they differ it is left out: "auto" then gives each classifier its own again.
    """
    precision = common_precision(each.precision for each in recipes)
    return [] if precision is None else ["--precision", precision]


def missing_note(
    classifiers: Mapping[str, Classifier], index: int | None, prediction: Prediction
) -> str:
    """What to say of a classifier that takes its ``prediction`` as it lacks class ``index``.

    It is empty where no class was asked for.
    """
    if index is None:
        return ""
    wanted = next(iter(classifiers.values())).labels[index]
    return f"It has no class “{wanted}”: its prediction “{prediction.name}” is taken."
