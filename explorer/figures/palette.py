"""Colours, the same on every page and in every figure.

The hues are told apart with any of the common colour vision deficiencies (after Okabe and Ito) and each has a contrast
of at least 3 : 1 against the white and against the dark page, so that one figure serves both themes. No meaning hangs on
colour alone: a series has a name, an outcome an icon and a word.
"""

from __future__ import annotations

from dataclasses import dataclass

STANDARD = "#0072B2"
ROBUST = "#D55E00"

ORIGINAL = "#7A828C"
ADVERSARIAL = "#B8468C"

LABEL = ORIGINAL
TARGET = ADVERSARIAL
PREDICTED = "#00876B"
LOSS = "#8A6FD1"

INK = "#111111"
INK_QUIET = "#555555"
GRID = "rgba(128, 128, 128, 0.25)"
RULE = "rgba(128, 128, 128, 0.9)"
CLEAR = "rgba(0, 0, 0, 0)"


@dataclass(frozen=True)
class Mark:
    """How an outcome is shown: a one-character ``icon``, the ``word`` that always stands with it, a ``colour``."""

    icon: str
    word: str
    colour: str


OUTCOME_MARKS: dict[str, Mark] = {
    "fooled": Mark("✗", "fooled", ADVERSARIAL),
    "partly": Mark("◐", "partly: wrong, not the target", "#A06A00"),
    "held": Mark("✓", "held", PREDICTED),
    "misclassified": Mark("–", "already misclassified", ORIGINAL),
}
