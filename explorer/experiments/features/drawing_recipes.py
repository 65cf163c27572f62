"""Questions about pictures that classifiers draw, as command lines and as recipes."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from explorer.classifiers import Classifier
from explorer.experiments.features.inversion import Inversion, InversionSettings
from explorer.experiments.features.painting import Painting, PaintingSettings
from explorer.experiments.features.recipe import model_result, recipe_json
from explorer.experiments.features.synthesis import Synthesis, SynthesisSettings

Option = tuple[str, object, object]  # its name, its value and its default


def synthesise_command(
    settings: SynthesisSettings,
    models: Sequence[str],
    judges: Sequence[str] | None = None,
    data: str | None = None,
    out: str = "out",
) -> str:
    """The command that draws the same pictures; ``judges`` None are those that it takes itself."""
    words = ["synthesise", "--model", *models]
    if settings.classes is not None:
        words += ["--class", *map(str, settings.classes)]
    if judges is not None:
        words += ["--judge", *judges]
    usual = SynthesisSettings()
    options = (
        ("--count", settings.count, usual.count),
        ("--epsilon", settings.epsilon, usual.epsilon),
        ("--steps", settings.steps, usual.steps),
        ("--start", settings.start, usual.start),
        ("--data", data, None),
        ("--seed", settings.seed, usual.seed),
    )
    return _command(words, options, out)


def invert_command(
    settings: InversionSettings, image: str, models: Sequence[str], out: str = "out"
) -> str:
    """The command that computes the same inversion."""
    usual = InversionSettings()
    options = (
        ("--steps", settings.steps, usual.steps),
        ("--start", settings.start, usual.start),
        ("--seed", settings.seed, usual.seed),
    )
    return _command(["invert", image, "--model", *models], options, out)


def paint_command(
    settings: PaintingSettings, cells: str, image: str, models: Sequence[str], out: str = "out"
) -> str:
    """The command that paints the same; ``cells`` are the mask's, or the path of its picture."""
    words = ["paint", image, "--model", *models, "--class", str(settings.target), "--mask", cells]
    usual = PaintingSettings(target=0)
    options = (
        ("--epsilon", settings.epsilon, usual.epsilon),
        ("--steps", settings.steps, usual.steps),
    )
    return _command(words, options, out)


def synthesis_recipe(
    synthesis: Synthesis,
    settings: SynthesisSettings,
    classifiers: Mapping[str, Classifier],
    data: str | None = None,
) -> str:
    """The recipe of drawings as a JSON object."""
    drawings = synthesis.drawings
    models = [
        model_result(each.name, classifiers[each.name], each.starts, [each.images])
        for each in drawings
    ]
    names = [each.name for each in drawings]
    command = synthesise_command(settings, names, synthesis.judges, data)
    precision = drawings[0].precision
    return recipe_json("synthesis", command, settings.start, asdict(settings), models, precision)


def inversion_recipe(
    answers: Sequence[Inversion],
    settings: InversionSettings,
    image: str,
    classifiers: Mapping[str, Classifier],
) -> str:
    """The recipe of inversions as a JSON object."""
    models = [
        model_result(each.name, classifiers[each.name], each.picture, [each.image])
        for each in answers
    ]
    command = invert_command(settings, image, [each.name for each in answers])
    precision = answers[0].precision
    return recipe_json("inversion", command, image, asdict(settings), models, precision)


def painting_recipe(
    answers: Sequence[Painting],
    settings: PaintingSettings,
    mask: str,
    image: str,
    classifiers: Mapping[str, Classifier],
) -> str:
    """The recipe of paintings as a JSON object. ``mask`` is what the command line calls it."""
    models = [
        model_result(each.name, classifiers[each.name], each.original, [each.mask, each.image])
        for each in answers
    ]
    command = paint_command(settings, mask, image, [each.name for each in answers])
    precision = answers[0].precision
    return recipe_json("painting", command, image, asdict(settings), models, precision)


def _command(words: Sequence[str], options: Iterable[Option], out: str) -> str:
    line = ["python", "-m", "explorer", *words]
    for option, value, usual in options:
        if value != usual:
            line += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join([*line, "--out", out])
