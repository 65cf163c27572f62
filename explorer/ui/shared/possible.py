"""Which values a widget can have, in words; of many choices the nearest to what was asked for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

MAX_OPTIONS = 12  # that are all named
_MAX_NEAR = 3


@dataclass(frozen=True)
class Choices:
    """One of ``options``, or several of them up to ``most``."""

    options: tuple[str, ...]
    most: int | None = None

    def words(self, asked: Sequence[str]) -> str:
        """What is possible in place of what was ``asked``."""
        if self.most is not None and set(asked) <= set(self.options):
            return f"at most {self.most}"
        if len(self.options) <= MAX_OPTIONS:
            return ", ".join(self.options)
        near = dict.fromkeys(each for text in asked for each in nearest(text, self.options))
        named = [*near] or self.options[:_MAX_NEAR]
        return f"{', '.join(named)}, … ({len(self.options):,} in all)"


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, whole ones if both are."""

    low: float
    high: float

    def words(self, asked: Sequence[str]) -> str:
        """What is possible."""
        del asked
        if self.low == self.high:
            return f"only {self.low:g}"
        if isinstance(self.low, int) and isinstance(self.high, int):
            return f"a whole number from {self.low} to {self.high:,}"
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Fixed:
    """No value but ``value``, for this ``reason``."""

    value: float
    reason: str

    def words(self, asked: Sequence[str]) -> str:
        """What is possible."""
        del asked
        return f"{self.value:g}"


Possible = Choices | Range | Fixed


def nearest(text: str, options: Sequence[str]) -> list[str]:
    """The few of ``options`` that a person may have meant by ``text``; none if nothing is like it.

    An option that contains the text counts, and so does the last part of a name: ``model`` for
    ``compare_model``.
    """
    wanted = text.casefold()
    scores = {option: _likeness(wanted, option.casefold()) for option in options}
    near = sorted((each for each in options if scores[each] >= 0.6), key=lambda each: -scores[each])
    return near[:_MAX_NEAR]


def _likeness(wanted: str, option: str) -> float:
    """From 0 to 1."""
    if not wanted:
        return 0.0
    parts = [option, *(option.split("_", n)[-1] for n in range(1, option.count("_") + 1))]
    ratio = max(difflib.SequenceMatcher(None, wanted, part).ratio() for part in parts)
    return max(ratio, 0.8) if len(wanted) > 2 and wanted in option else ratio
