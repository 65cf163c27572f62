"""The gradients of a whole gallery: what the page says of the bundled pair, and its interval."""

from __future__ import annotations

import pytest

from explorer.classifiers import load
from explorer.errors import Cancelled
from explorer.experiments.features.gallery import (
    GalleryCorrelations,
    gallery_correlations,
    share_above,
)
from explorer.experiments.features.gradients import (
    GradientSettings,
    gradients,
    neighbour_correlation,
)
from explorer.images.gallery import samples
from tests.experiments.features.pictures import small_picture
from tests.small_models import smooth_classifier


def test_a_robust_classifiers_gradients_are_less_like_static() -> None:
    models = {name: load(name) for name in ("cifar10-standard", "cifar10-robust")}
    pictures = [sample.read() for sample in samples("cifar10")[:8]]
    standard, robust = gallery_correlations(models, pictures)
    assert (standard.robust, robust.robust) == (False, True)
    pairs = zip(standard.values, robust.values, strict=True)
    assert all(value > 2 * other for other, value in pairs)
    share = share_above(robust, standard)
    assert (share.count, share.n, share.high) == (len(pictures), len(pictures), 1)
    assert share.low > 0.6


def test_the_values_are_those_of_each_picture_and_the_work_stops_when_asked() -> None:
    models = {"a": smooth_classifier(), "b": smooth_classifier(seed=1)}
    pictures = [small_picture(seed) for seed in (1, 2)]
    steps: list[tuple[int, int]] = []
    answers = gallery_correlations(
        models, pictures, on_step=lambda done, total: steps.append((done, total))
    )
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for index, picture in enumerate(pictures):
        alone = gradients(models, picture, GradientSettings(copies=0))
        for each, one in zip(answers, alone, strict=True):
            assert each.values[index] == neighbour_correlation(one.plain)
    with pytest.raises(Cancelled):
        gallery_correlations(models, pictures, cancelled=lambda: len(steps) > 3)


def test_a_share_counts_the_pictures_where_one_is_above() -> None:
    one = GalleryCorrelations("one", True, (0.5, 0.2, 0.3))
    other = GalleryCorrelations("other", False, (0.1, 0.2, 0.4))
    share = share_above(one, other)
    assert (share.count, share.n) == (1, 3)
    assert share.low < 1 / 3 < share.high
    assert one.mean == pytest.approx(1 / 3)
