"""A question about gradients as a command line and as a recipe."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from explorer.classifiers import Classifier
from explorer.experiments.features.gradients import (
    ClassifierGradients,
    GradientSettings,
    gradients_by_kind,
)
from explorer.experiments.features.recipe import model_result, recipe_json


def gradients_command(
    settings: GradientSettings, image: str, models: Sequence[str], out: str = "out"
) -> str:
    """The command that computes the same and writes to the folder ``out``."""
    words = ["python", "-m", "explorer", "gradients", image, "--model", *models]
    default = GradientSettings()
    options = (
        ("--of", settings.of, default.of),
        ("--class", settings.label, default.label),
        ("--smooth", settings.copies, default.copies),
        ("--noise", settings.spread, default.spread),
        ("--seed", settings.seed, default.seed),
    )
    for option, value, usual in options:
        if value != usual:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join([*words, "--out", out])


def gradients_recipe(
    answers: Sequence[ClassifierGradients],
    settings: GradientSettings,
    image: str,
    classifiers: Mapping[str, Classifier],
) -> str:
    """The recipe as a JSON object."""
    models = [
        model_result(
            each.name, classifiers[each.name], each.image, gradients_by_kind(each).values()
        )
        for each in answers
    ]
    command = gradients_command(settings, image, [each.name for each in answers])
    return recipe_json("gradients", command, image, asdict(settings), models)
