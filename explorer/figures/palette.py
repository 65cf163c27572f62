"""The colours of all pages and figures.

Each colour has a contrast of at least 3 : 1 against the white and against the dark page, so that
one figure suits both themes. That leaves little room for differences in lightness, so colours that
are shown together differ from blue to yellow, which people with red-green deficiency can see. No
meaning depends on colour alone: a series has a name, an outcome an icon and a word.
"""

from __future__ import annotations

from dataclasses import dataclass

STANDARD = "#0072B2"
ROBUST = "#D55E00"

ORIGINAL = "#7A828C"
ADVERSARIAL = "#9D4EDD"

LABEL = ORIGINAL
TARGET = ADVERSARIAL
PREDICTED = "#9A7000"
LOSS = "#00876B"

HELD = "#00876B"

INK = "#111111"
INK_QUIET = "#555555"
GRID = "rgba(128, 128, 128, 0.25)"
CLEAR = "rgba(0, 0, 0, 0)"


@dataclass(frozen=True)
class Mark:
    """How an outcome is shown: a one-character ``icon`` beside its ``word``, in a ``colour``."""

    icon: str
    word: str
    colour: str


OUTCOME_MARKS: dict[str, Mark] = {
    "fooled": Mark("✗", "fooled", ADVERSARIAL),
    "partly": Mark("◐", "partly: wrong, not the target", PREDICTED),
    "held": Mark("✓", "held", HELD),
    "misclassified": Mark("–", "already misclassified", ORIGINAL),
}
