"""The command lines of pictures that classifiers draw."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from explorer.experiments.features.inversion import InversionSettings
from explorer.experiments.features.painting import PaintingSettings
from explorer.experiments.features.synthesis import SynthesisSettings

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


def _command(words: Sequence[str], options: Iterable[Option], out: str) -> str:
    line = ["python", "-m", "explorer", *words]
    for option, value, usual in options:
        if value != usual:
            line += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join([*line, "--out", out])
