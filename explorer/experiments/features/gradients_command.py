"""The command line of a question about gradients."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from explorer.experiments.features.gradients import GradientSettings


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
