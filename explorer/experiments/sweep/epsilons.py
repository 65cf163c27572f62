"""The values of ε of a sweep: ranges that a person writes, and a scale for those who write none."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.errors import UserError
from explorer.experiments.one_image.recipe import parse_number

MAX_EPSILONS = 1000
# Dense where standard classifiers fail, and as far as robust ones reach.
_LEVELS = (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 255)
_L2 = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_SCALES = {"linf": tuple(level / 255 for level in _LEVELS), "l2": _L2}


class EpsilonError(UserError):
    """Values of ε that can't be used; the message says how to write them."""


def parse_epsilons(texts: Sequence[str]) -> tuple[float, ...]:
    """The values that ``texts`` stand for, each once and in ascending order.

    A text is a number (``0.5``, ``4/255``) or a range ``START:STOP:STEP`` that includes its stop,
    such as ``0:1:0.05`` or ``0:8/255:1/255``. Raises :class:`EpsilonError`, and
    :class:`~explorer.experiments.one_image.recipe.RecipeError` for what is not a number.
    """
    values: list[float] = []
    for text in texts:
        values += _range(text) if ":" in text else [parse_number(text)]
        if len(values) > MAX_EPSILONS:
            raise EpsilonError(f"at most {MAX_EPSILONS:,} values of ε can be asked for at once")
    return tuple(sorted(set(values)))


def _range(text: str) -> list[float]:
    parts = text.split(":")
    if len(parts) != 3:
        raise EpsilonError(f"{text[:60]!r} is not a range; write it as START:STOP:STEP")
    start, stop, step = map(parse_number, parts)
    if step <= 0 or stop < start:
        raise EpsilonError(
            f"{text[:60]!r} has no values: the step must be above 0 and the stop not below the "
            "start"
        )
    # A thousandth of a step: 0:1:0.05 ends at 1 although 20 steps of 0.05 are not 1 in binary.
    count = (stop - start) / step + 1e-3
    if count > MAX_EPSILONS:
        raise EpsilonError(
            f"{text[:60]!r} has more than {MAX_EPSILONS:,} values; use a larger step"
        )
    return [min(start + index * step, stop) for index in range(int(count) + 1)]


def automatic_epsilons(norm: str, largest: float) -> tuple[float, ...]:
    """0, and a scale of ε up to ``largest``, the greatest distance of two images.

    It is dense where standard classifiers fail and reaches to where robust ones do.
    """
    return (0.0, *(epsilon for epsilon in _SCALES[norm] if epsilon <= largest))
