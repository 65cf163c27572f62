"""Numbers as people write them in commands. It imports no torch, so that --help comes at once."""

from __future__ import annotations

import re
import reprlib
from fractions import Fraction

from explorer.errors import UserError

_MAX_DIGITS, _MAX_EXPONENT = 40, 400  # of a number; Fraction computes 10**exponent in full


class RecipeError(UserError):
    """A recipe, or a value for one, that can't be read or used; the message says what is wrong."""


def parse_number(text: str) -> float:
    """The number that ``0.03`` or ``1.5/255`` stands for. Raises :class:`RecipeError`."""
    try:
        numerator, *rest = text.split("/")
        (denominator,) = rest or ["1"]  # ValueError for two slashes
        return float(_fraction(numerator) / _fraction(denominator))
    except (ValueError, ZeroDivisionError, OverflowError):
        shown = reprlib.repr(text)
        raise RecipeError(f"{shown} is not a number; write it as 0.03 or 8/255") from None


def _fraction(text: str) -> Fraction:
    """The exact value of ``text``. Raises :class:`ValueError` where it would take long."""
    text = text.strip()
    exponent = re.search(r"e([+-]?[\d_]+)$", text, re.IGNORECASE)
    if len(text) > _MAX_DIGITS or (exponent and abs(int(exponent[1])) > _MAX_EXPONENT):
        raise ValueError("too long or too large")
    return Fraction(text)
