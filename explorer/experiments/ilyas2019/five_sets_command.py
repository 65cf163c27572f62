"""The command line that makes a row of five sets again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsSettings

NOISE = "noise"  # in place of a start picture


def five_sets_command(
    picture: str,
    start: str | None,
    models: Sequence[str],
    settings: FiveSetsSettings,
    *,
    index: int,
    label: int | None,
    start_label: int | None,
    out: str = "out",
) -> str:
    """The command for ``picture`` and ``start`` (None: noise), paths or ``gallery:KEY``.

    ``models`` are the standard and the robust classifier, then the others. ``index`` is the place
    of the picture in its data, with which the random choices are seeded.
    """
    standard, robust, *others = models
    words = ["python", "-m", "explorer", "five-sets", picture, "--start", start or NOISE]
    words += ["--standard", standard, "--robust", robust]
    words += ["--others", *others] if others else []
    options: list[tuple[str, object, object]] = [
        ("--label", label, None),
        ("--start-label", start_label, None),
        ("--index", index, 0),
        ("--match-steps", settings.match_steps, None),
        ("--attack-steps", settings.attack_steps, None),
        ("--step-size", settings.step_size, None),
        ("--epsilon", settings.epsilon, None),
        ("--seed", settings.seed, None),
    ]
    for option, value, default in options:
        if value != default:
            words += [option, repr(value)]
    return shlex.join([*words, "--out", out])
