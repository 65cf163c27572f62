"""Noise of the size of an attack: its norm is exact, and it hides no aim."""

from __future__ import annotations

import math

import pytest
import torch

from explorer.errors import Cancelled
from explorer.experiments.noise_control import noise_control, with_noise
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.distances import l2, linf
from tests.small_models import grey_images, linear_classifier

MEASURE = {"linf": linf, "l2": l2}


def saturated() -> torch.Tensor:
    """A picture with values at both ends of the range."""
    image = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    return (3 * image - 1).clamp(0, 1)


@pytest.mark.parametrize(
    ("norm", "size"),
    [("linf", 4 / 255), ("linf", 0.3), ("linf", 0.7), ("l2", 0.5), ("l2", 4.0), ("l2", 7.0)],
)
def test_the_noise_has_exactly_the_size_and_stays_in_range(norm: str, size: float) -> None:
    image = saturated()
    noisy = with_noise(image, norm, size, seed=0, draw=0)
    assert MEASURE[norm](image, noisy) == pytest.approx(size, abs=2e-7 * max(1, size))
    assert 0 <= float(noisy.min()) <= float(noisy.max()) <= 1


def test_noise_that_does_not_fit_is_as_large_as_the_draw_allows() -> None:
    image = saturated()
    noisy = with_noise(image, "l2", 100.0, seed=0, draw=0)
    assert set(noisy.unique().tolist()) == {0.0, 1.0}


def test_no_size_is_no_noise() -> None:
    for norm in MEASURE:
        assert torch.equal(with_noise(saturated(), norm, 0.0, seed=0, draw=0), saturated())


def test_the_same_seed_and_draw_give_the_same_noise_whatever_the_global_state() -> None:
    image = saturated()
    first = with_noise(image, "l2", 0.5, seed=3, draw=1)
    torch.manual_seed(5)
    assert torch.equal(first, with_noise(image, "l2", 0.5, seed=3, draw=1))
    assert not torch.equal(first, with_noise(image, "l2", 0.5, seed=3, draw=2))
    assert not torch.equal(first, with_noise(image, "l2", 0.5, seed=4, draw=1))


def test_every_value_of_linf_noise_moves_by_the_whole_size_and_either_way() -> None:
    change = with_noise(torch.full((3, 50, 50), 0.5), "linf", 0.1, seed=0, draw=0) - 0.5
    assert torch.allclose(change.abs(), torch.tensor(0.1), atol=1e-7)
    share = float((change > 0).float().mean())
    assert share == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(change.numel()))


def test_noise_does_not_fool_where_the_attack_just_does() -> None:
    """A linear margin falls by ε‖w‖₂ under attack, by about ε‖w‖₂ / √d under noise."""
    model = linear_classifier()
    image = grey_images(1)[0]
    margin = float((model(image[None])[0].detach() * torch.tensor([1.0, -1.0])).sum().abs())
    weight = model.module.layer.weight
    radius = 1.05 * margin / float((weight[0] - weight[1]).norm())
    report = attack_image(model, image, Recipe("test", "a", "l2", radius, 10))
    assert report.outcome == "fooled"
    control = noise_control(model, report, draws=8)
    assert (control.outcome, control.successes, control.draws) == ("held", 0, 8)
    assert control.l2 == pytest.approx(report.l2, rel=1e-6)
    assert control.label_confidence > 0.5 > float(report.after.probabilities[report.label])


def test_the_control_stops_when_asked() -> None:
    model = linear_classifier()
    report = attack_image(model, grey_images(1)[0], Recipe("test", "a", "l2", 0.1, 2))
    with pytest.raises(Cancelled):
        noise_control(model, report, cancelled=lambda: True)
