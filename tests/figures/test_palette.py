"""The contrast of the colours on both pages, and the difference between colours shown together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from explorer.figures import palette
from explorer.figures.series import classifier_colours

WHITE, DARK = "#FFFFFF", "#0E1117"  # Streamlit's two page backgrounds
HUES = [
    palette.STANDARD,
    palette.ROBUST,
    palette.ORIGINAL,
    palette.ADVERSARIAL,
    palette.PREDICTED,
    palette.LOSS,
]
# As many classifiers of one kind as a page shows at most, beside one of the other kind.
CLASSIFIERS = classifier_colours([False, True, False, False, False])
HUES += CLASSIFIERS
HUES += [mark.colour for mark in palette.OUTCOME_MARKS.values()]
SHOWN_TOGETHER = [
    *itertools.combinations(CLASSIFIERS, 2),
    (palette.ORIGINAL, palette.ADVERSARIAL),
    *itertools.combinations((palette.LABEL, palette.TARGET, palette.PREDICTED), 2),
]
# Linear RGB as dichromats see it (Viénot, Brettel, Mollon 1999).
DICHROMATS = {
    "protan": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    "deutan": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ rgb.clip(0, 1)
    f = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colour", HUES)
def test_each_colour_is_legible_on_both_pages(colour: str) -> None:
    assert min(contrast(colour, WHITE), contrast(colour, DARK)) >= 3


@pytest.mark.parametrize(("one", "other"), SHOWN_TOGETHER)
@pytest.mark.parametrize("kind", DICHROMATS)
def test_colours_shown_together_differ_to_dichromats(one: str, other: str, kind: str) -> None:
    first, second = (lab(DICHROMATS[kind] @ linear(colour)) for colour in (one, other))
    assert np.linalg.norm(first - second) >= 15  # CIE 1976 ΔE; 2.3 is just noticeable
