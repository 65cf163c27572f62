"""Which values a widget can have, in words; of many choices the nearest to what was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.errors import nearest, repeated

MAX_OPTIONS = 12  # that are all named
_FIRST = 3  # of many, where none is near


@dataclass(frozen=True)
class Choices:
    """One of ``options``, or several of them up to ``most``."""

    options: tuple[str, ...]
    most: int | None = None

    def words(self, asked: Sequence[str]) -> str:
        """What is possible in place of what was ``asked``."""
        counts, twice = Counter(asked), repeated(asked)
        unknown = [text for text in counts if text not in self.options]
        words = []
        if unknown or (self.most is None and not twice):
            words.append(self._options(unknown))
        is_right = any(text in self.options and count == 1 for text, count in counts.items())
        if self.most is not None and is_right:
            words.append(f"at most {self.most}")
        if twice:
            words.append(f"each once; {twice}")
        return "; ".join(words)

    def _options(self, unknown: Sequence[str]) -> str:
        """All of them, or of many the nearest to the ``unknown`` ones."""
        if len(self.options) <= MAX_OPTIONS:
            return ", ".join(self.options)
        near = dict.fromkeys(each for text in unknown for each in nearest(text, self.options))
        named = [*near] or self.options[:_FIRST]
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
