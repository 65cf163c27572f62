"""The triptych's pictures and texts: all are inside the figure and none overlap."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.captions import percent
from explorer.figures.print_triptych import triptych
from explorer.images.distances import perturbation_image
from explorer.images.geometry import to_uint8

MakeReport = Callable[..., AttackReport]

LONG = (
    "American Staffordshire terrier, Staffordshire terrier, American pit bull terrier, "
    "pit bull terrier",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenknopfloch",
    "costs $5 and <b>x_1$ \\frac{",
    "goose",
)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def joined(figure: Figure) -> str:
    """All text without line breaks."""
    return " ".join(" ".join(texts(figure)).split())


def boxes(figure: Figure) -> list[Bbox]:
    renderer = FigureCanvasAgg(figure).get_renderer()
    # Boxes may touch, so they are made a hundredth of a dot smaller.
    return [
        item.get_window_extent(renderer).padded(-0.01) for item in (*figure.axes, *figure.texts)
    ]


def test_the_pictures_are_the_reports(report: AttackReport) -> None:
    delta = report.adversarial - report.original
    images = report.original, perturbation_image(delta), report.adversarial
    for axes, image in zip(triptych(report, "test-net").axes, images, strict=True):
        assert np.array_equal(axes.images[0].get_array(), to_uint8(image))


def test_three_equal_squares_in_one_row_seven_inches_wide(report: AttackReport) -> None:
    figure = triptych(report, "test-net")
    width, height = figure.get_size_inches()
    assert width == 7
    places = np.array([axes.get_position().bounds for axes in figure.axes]) * [
        width,
        height,
        width,
        height,
    ]
    assert np.allclose(places[:, 1], places[0, 1])
    assert np.allclose(places[:, 2:], places[0, 2])
    assert places[0, 2] > 1.8


def test_each_picture_has_its_prediction_below_it(report: AttackReport) -> None:
    text = joined(triptych(report, "test-net"))
    for prediction in (report.before, report.noise, report.after):
        assert f"{prediction.name} {percent(prediction.confidence)} confidence" in text


def test_the_caption_has_classifier_attack_measurements_and_outcome_on_one_line(
    report: AttackReport,
) -> None:
    *_, equals, caption = texts(triptych(report, "test-net"))
    assert equals == "="
    assert caption.startswith(
        "test-net  ·  PGD, 7 steps, L∞, ε = 4/255, target: class 5  ·  measured L∞ 4/255, L2 "
    )
    assert caption.endswith("SSIM 0.970  ·  ✗ fooled")


@pytest.mark.parametrize(("epsilon", "factor"), [(4 / 255, "+ 4/255 ×"), (0.007, "+ 1.785/255 ×")])
def test_under_linf_the_factor_is_epsilon(
    make_report: MakeReport, epsilon: float, factor: str
) -> None:
    assert factor in texts(triptych(make_report(epsilon=epsilon), "test-net"))


def test_under_l2_the_factor_is_the_largest_change_and_the_sum_is_correct(
    make_report: MakeReport,
) -> None:
    delta = torch.full((3, 32, 32), 1 / 255)
    delta[0, 0, 0] = 10 / 255
    figure = triptych(make_report(norm="l2", epsilon=0.5, delta=delta), "test-net")
    assert "+ 10/255 ×" in texts(figure)
    assert "perturbation δ, magnified 12.8 ×" in texts(figure)  # 0.5 / (10 / 255)


def test_a_large_magnification_has_no_exponent(make_report: MakeReport) -> None:
    assert "perturbation δ, magnified 1667 ×" in texts(
        triptych(make_report(epsilon=0.0003), "test-net")
    )


def test_only_an_unclipped_fgsm_step_is_called_the_sign_of_the_gradient(
    make_report: MakeReport,
) -> None:
    flat, epsilon = torch.full((3, 32, 32), 0.5), 4 / 255
    signs = (
        torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(3)).sub(0.5).sign() * epsilon
    )
    one_step = {
        "original": flat,
        "delta": signs,
        "epsilon": epsilon,
        "step_size": epsilon,
        "random_start": False,
    }
    assert "sign of the gradient" in joined(triptych(make_report(steps=1, **one_step), "m"))
    assert "sign of the gradient" not in joined(triptych(make_report(steps=2, **one_step), "m"))
    clipped = one_step | {"original": torch.full((3, 32, 32), 0.999)}
    assert "sign of the gradient" not in joined(triptych(make_report(steps=1, **clipped), "m"))


def test_a_perturbation_of_0_is_called_none(make_report: MakeReport) -> None:
    report = make_report(epsilon=0.0, delta=torch.zeros(3, 32, 32), outcome="held")
    assert "perturbation: none" in texts(triptych(report, "m"))
    assert "+ 0/255 ×" in texts(triptych(report, "m"))


@pytest.mark.parametrize(
    ("size", "pixelated"), [(32, True), (64, True), (127, True), (128, False), (224, False)]
)
def test_small_images_are_shown_as_squares(
    make_report: MakeReport, size: int, pixelated: bool
) -> None:
    for axes in triptych(make_report(size=size), "m").axes:
        assert (axes.images[0].get_interpolation() == "nearest") is pixelated


@pytest.mark.parametrize("order", list(itertools.permutations(range(4), 3)))
def test_long_names_are_complete_inside_the_figure_and_do_not_overlap(
    make_report: MakeReport, order: tuple[int, ...]
) -> None:
    before, after, target = order
    report = make_report(names=LONG, label=before, target=after, epsilon=0.007)
    title = f"torchvision: a classifier with quite a long title, trained on {LONG[target]}"
    figure = triptych(report, title)
    text = joined(figure).replace(" ", "")
    for prediction in (report.before, report.noise, report.after):
        assert prediction.name.replace(" ", "") in text
    whole, parts = figure.bbox, boxes(figure)
    for box in parts:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    assert not [pair for pair in itertools.combinations(parts, 2) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize("epsilon", [0.007, 0.0137, 0.05003, 0.4985])
def test_the_factor_fits_between_the_pictures(make_report: MakeReport, epsilon: float) -> None:
    delta = torch.full((3, 32, 32), epsilon)
    figure = triptych(
        make_report(epsilon=epsilon, original=torch.zeros(3, 32, 32), delta=delta), "test-net"
    )
    assert any(text.startswith(f"+ {format_epsilon(epsilon, 'linf')}") for text in texts(figure))
    assert not [
        pair for pair in itertools.combinations(boxes(figure), 2) if pair[0].overlaps(pair[1])
    ]


def test_a_long_caption_has_the_attack_above_the_result(
    make_report: MakeReport,
) -> None:
    *_, first, second = texts(
        triptych(make_report(outcome="partly"), "torchvision: EfficientNet V2 Large, IMAGENET1K_V1")
    )
    assert first.endswith("target: class 5")
    assert second.startswith("measured L∞ 4/255")
    assert second.endswith("◐ partly: wrong, not the target")


def test_text_is_large_enough_to_read_in_print(make_report: MakeReport) -> None:
    figure = triptych(make_report(names=LONG, epsilon=0.007, label=0, target=1), "test-net")
    assert min(text.get_size() for text in figure.texts) >= 7
