"""Figures about many images, from plain values: what they show, and as which files."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import pytest
import torch

from explorer.datasets.labelled import LabelledImages
from explorer.experiments.sweep.accuracy_sweep import SweepRow
from explorer.experiments.sweep.recipe import (
    SMALLEST,
    SWEEP,
    TRANSFER,
    ModelRecord,
    SetRecipe,
)
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.experiments.sweep.smallest_epsilon import SmallestEpsilons
from explorer.experiments.sweep.transfer import TransferCell
from explorer.figures import palette
from explorer.figures.accuracy_curves import accuracy_chart, accuracy_figure
from explorer.figures.export import figure_bytes
from explorer.figures.series import MARKERS, Series, styles
from explorer.figures.set_captions import attack_line
from explorer.figures.set_files import table_csv
from explorer.figures.smallest_histogram import bins_of, smallest_chart, smallest_figure
from explorer.figures.smallest_pictures import MOST, smallest_row, spread_pictures
from explorer.figures.transfer_chart import transfer_chart, transfer_figure

ODD = "<b>one</b> & $x^2$"
SERIES = (Series("a", ODD), Series("b", "two", robust=True))
CURVES = {
    "a": [SweepRow(0.0, 20, 1.0, 0.84, 1.0, 0.9), SweepRow(4 / 255, 20, 0.1, 0.03, 0.3, 0.2)],
    "b": [SweepRow(0.0, 20, 0.9, 0.7, 0.97, 0.8), SweepRow(4 / 255, 20, 0.5, 0.3, 0.7, 0.4)],
}


def smallest(*values: float) -> SmallestEpsilons:
    count = len(values)
    images = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    classes = torch.arange(count) % 3
    return SmallestEpsilons(torch.tensor(values), classes, (classes + 1) % 3, images)


RESULTS = {"a": smallest(0.0, 0.1, 0.2), "b": smallest(0.4, 0.2, float("inf"))}


def recipe(question: str, **values: object) -> SetRecipe:
    models = tuple(ModelRecord(each.name) for each in SERIES)
    return SetRecipe(question, models, SetAttack("linf"), **values)


def test_the_standard_classifier_is_blue_and_the_robust_one_orange_and_no_two_are_alike():
    series = [Series(str(index), str(index), robust=index in (1, 3)) for index in range(7)]
    drawn = styles(series)
    assert [drawn[0].colour, drawn[1].colour] == [palette.STANDARD, palette.ROBUST]
    assert len({style.colour for style in drawn}) == 7
    assert {style.symbol for style in drawn} <= set(MARKERS)
    assert all(one.symbol != two.symbol for one, two in pairwise(drawn))


def test_the_chart_has_an_interval_an_accuracy_and_a_confidence_for_each_classifier():
    chart = accuracy_chart(CURVES, SERIES, "linf")
    band, accuracy, confidence, *_ = chart.data
    assert accuracy.x == (0.0, 4.0)  # in levels of 255
    assert accuracy.y == (1.0, 0.1)
    assert band.y == (1.0, 0.3, 0.03, 0.84)
    assert confidence.y == (0.9, 0.2)
    assert accuracy.name.startswith("&lt;b&gt;one&lt;/b&gt; &amp; $x^2$")
    assert "ε = 4/255: accuracy 10.0 %" in accuracy.customdata[1]
    only = accuracy_chart({"b": CURVES["b"]}, SERIES, "linf")
    assert len(only.data) == 3  # what is not done yet is left out


def test_the_bins_count_every_success_once_and_the_title_counts_the_rest():
    bins = bins_of(RESULTS, "l2")
    assert sum(bins.counts["a"]) == 3
    assert sum(bins.counts["b"]) == 2
    assert bins.counts["b"][-1] == 1  # the largest of all
    names = [trace.name for trace in smallest_chart(RESULTS, SERIES, "l2").data]
    assert names[0].endswith(": median 0.1")
    assert names[1] == "two: median 0.4, 1 image that no attack fooled"


def test_bins_of_images_that_are_all_misclassified():
    assert sum(bins_of({"a": smallest(0.0, 0.0)}, "linf").counts["a"]) == 2


def test_pictures_go_evenly_from_the_smallest_epsilon_up():
    result = smallest(*(float(index) for index in (3, 0, 9, 1, 2, 4, 5, 6, 7, 8, 10, 11)))
    images = torch.zeros(12, 3, 8, 8, dtype=torch.uint8)
    data = LabelledImages(images, torch.zeros(12, dtype=torch.int64), ("x", "y", "z"))
    epsilons = [each.epsilon for each in spread_pictures(data, result)]
    assert len(epsilons) == MOST
    assert epsilons == sorted(epsilons)
    assert (epsilons[0], epsilons[-1]) == (1.0, 11.0)  # 0 was misclassified as it is
    assert spread_pictures(data, smallest(*[0.0] * 12)) == []


def test_the_matrix_has_a_square_for_each_pair():
    cells = [
        TransferCell(0, 0, 20, 1.0, 0.84, 1.0),
        TransferCell(0, 1, 18, 0.5, 0.3, 0.7),
        TransferCell(1, 0, 18, 0.0, 0.0, 0.2),
        TransferCell(1, 1, 0, None, 0.0, 1.0),
    ]
    (heatmap,) = transfer_chart(cells, SERIES).data
    assert [list(row) for row in heatmap.z] == [[1.0, 0.5], [0.0, None]]
    assert [list(row) for row in heatmap.text] == [["100.0 %", "50.0 %"], ["0.0 %", "–"]]
    assert "no image is classified correctly by both" in heatmap.customdata[1][1]
    figure = transfer_figure(cells, SERIES, "caption")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["100.0 %\nn = 20", "50.0 %\nn = 18", "0.0 %\nn = 18", "–\nn = 0"]


@pytest.mark.parametrize("format", ["png", "pdf", "svg"])
def test_figures_for_print_are_files_and_the_same_bytes_each_time(format):
    images = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
    data = LabelledImages(images, torch.zeros(3, dtype=torch.int64), (ODD, "y", "z"))
    makers = (
        lambda: accuracy_figure(CURVES, SERIES, "linf", f"caption {ODD}"),
        lambda: smallest_figure(RESULTS, SERIES, "l2", "caption"),
        lambda: smallest_row(spread_pictures(data, RESULTS["b"]), "l2", "caption"),
    )
    for make in makers:
        assert figure_bytes(make(), format) == figure_bytes(make(), format)


def test_a_caption_names_what_was_asked():
    assert attack_line(recipe(SWEEP, data="gallery"), 20) == (
        "20 sample pictures, L∞, PGD, 20 steps, seed 0"
    )
    assert attack_line(recipe(SMALLEST), 1) == "1 image, L∞, bisection with PGD, 20 steps, seed 0"
    asked = recipe(TRANSFER, data="d", epsilons=(8 / 255,))
    assert attack_line(asked, 2) == "2 images of d, L∞ ε = 8/255, PGD, 20 steps, seed 0"


def test_a_number_in_the_table_is_read_back_exactly():
    rows = [{"epsilon": 4 / 255, "success": True}, {"epsilon": None, "success": False}]
    first, second = csv.DictReader(io.StringIO(table_csv(rows)))
    assert float(first["epsilon"]) == 4 / 255
    assert (first["success"], second["epsilon"], second["success"]) == ("true", "", "false")


def test_the_command_of_a_recipe_names_every_setting_and_the_exact_epsilon():
    epsilons = (0.0, 0.123456789, 4 / 255)
    asked = recipe(SWEEP, images=("my picture.png",), label="cat", epsilons=epsilons)
    assert asked.command("o") == (
        "python -m explorer sweep 'my picture.png' --model a b --norm linf --epsilon 0/255 "
        "0.123456789 4/255 --label cat --steps 20 --out o"
    )
