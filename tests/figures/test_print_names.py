"""The class names in print figures: whole words, smaller where they would not fit."""

from __future__ import annotations

import pytest

from explorer.figures.print_canvas import SMALLEST_TYPE, fitting_size, text_width, wrap
from explorer.images.gallery import CIFAR10_NAMES


@pytest.mark.parametrize("width", [0.57, 0.6, 0.75, 1.2])
@pytest.mark.parametrize("bold", [False, True])
def test_no_name_of_cifar10_is_broken(width: float, bold: bool) -> None:
    size = fitting_size(CIFAR10_NAMES, width, 8.5, bold)
    assert SMALLEST_TYPE * 8.5 <= size <= 8.5
    for name in CIFAR10_NAMES:
        assert wrap(name, width, size, bold) == [name]
        assert text_width(name, size, bold) <= width


def test_names_that_fit_keep_their_size_and_others_stay_legible() -> None:
    assert fitting_size(["cat", "dog"], 1.0, 8.5) == 8.5
    assert fitting_size([], 1.0, 8.5) == 8.5
    assert fitting_size(["m" * 60], 0.5, 8.5) == SMALLEST_TYPE * 8.5
    assert fitting_size(["giant panda"], text_width("giant", 8.5), 8.5) == pytest.approx(
        8.5 * 0.98 * text_width("giant", 8.5) / text_width("panda", 8.5)
    )
