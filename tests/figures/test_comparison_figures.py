"""The figure, the table and the files of a comparison: all texts fit, all values are its own."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from explorer.experiments.compare import (
    ComparedClassifier,
    Comparison,
    Control,
    Note,
)
from explorer.experiments.noise_control import NoiseControl
from explorer.experiments.one_image.report import AttackReport
from explorer.experiments.picture_transfer import Transfer, TransferAnswer
from explorer.figures.captions import percent
from explorer.figures.comparison_files import comparison_csv, comparison_files, zipped
from explorer.figures.comparison_table import comparison_table
from explorer.figures.palette import ROBUST, STANDARD
from explorer.figures.print_comparison import comparison_figure
from explorer.images.distances import perturbation_image
from explorer.images.geometry import to_png, to_uint8

MakeReport = Callable[..., AttackReport]
LONG = tuple(
    f"American Staffordshire terrier, Staffordshire terrier, costs ${index} and x_1$ \\frac{{"
    for index in range(12)
)


def make_comparison(make_report: MakeReport, count: int = 2, **options: object) -> Comparison:
    """Classifiers "a", "b" …, the second of them robust; the last can't be shown the first's."""
    names = "abcd"[:count]
    reports = {name: make_report(seed=index, **options) for index, name in enumerate(names)}
    classifiers = []
    for name, report in reports.items():
        image = (report.original + 0.01).clamp(0, 1)
        noise = NoiseControl(image, report.before, "held", 0.01, 0.5, 20, 3, 0.75)
        report = replace(report, recipe=replace(report.recipe, model=name))
        classifiers.append(
            ComparedClassifier(
                name, f"Network {name} of a set", name == "b", report, Control(noise)
            )
        )
    transfers = [
        Transfer(a, b, None, "it takes grey pictures")
        if (a, b) == ("a", names[-1])
        else Transfer(
            a, b, TransferAnswer(reports[b].before, reports[a].after, "fooled", True), "resized"
        )
        for a in names
        for b in names
    ]
    return Comparison(tuple(classifiers), tuple(transfers), (Note("sizes", "The sizes differ."),))


def texts(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


@pytest.mark.parametrize(("count", "names"), [(2, None), (4, None), (3, LONG)])
def test_nothing_leaves_the_figure_and_nothing_overlaps(
    make_report: MakeReport, count: int, names: tuple[str, ...] | None
) -> None:
    options = {} if names is None else {"names": names}
    figure = comparison_figure(make_comparison(make_report, count, **options))
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [
        item.get_window_extent(renderer).padded(-0.01) for item in (*figure.axes, *figure.texts)
    ]
    width, height = figure.get_size_inches() * figure.dpi
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_four_pictures_of_one_size_for_each_classifier(make_report: MakeReport) -> None:
    comparison = make_comparison(make_report)
    axes = comparison_figure(comparison).axes
    expected = []
    for each in comparison.classifiers:
        report = each.report
        delta = perturbation_image(report.adversarial - report.original)
        expected += [report.original, delta, report.adversarial, each.noise.image]
    for picture, image in zip(axes, expected, strict=True):
        assert np.array_equal(picture.images[0].get_array(), to_uint8(image))
    assert len({tuple(np.round(each.get_position().size, 6)) for each in axes}) == 1


def test_standard_is_blue_and_robust_orange(make_report: MakeReport) -> None:
    figure = comparison_figure(make_comparison(make_report))
    colours = {text.get_text(): text.get_color() for text in figure.texts}
    assert colours["Network a of a set: fooled"] == STANDARD
    assert colours["Network b of a set: fooled"] == ROBUST
    assert "The sizes differ." in texts(figure)


def test_the_table_has_the_answer_of_each_classifier_to_each_picture(
    make_report: MakeReport,
) -> None:
    comparison = make_comparison(make_report)
    original, on_a, on_b, noise = comparison_table(comparison)
    a, b = comparison.classifiers
    assert [cell.name for cell in original.cells] == [a.report.before.name, b.report.before.name]
    assert [cell.mark for cell in original.cells] == [None, None]
    assert on_a.cells[0].is_own
    assert on_a.cells[1].note == "not shown: it takes grey pictures"
    assert on_b.cells[0].confidence == percent(b.report.after.confidence)
    assert on_b.cells[0].mark is not None
    assert on_b.cells[0].mark.word == "fooled"
    assert [cell.note for cell in noise.cells] == ["3 of 20 draws fool it"] * 2


def test_the_csv_has_a_row_for_each_answer(make_report: MakeReport) -> None:
    comparison = make_comparison(make_report)
    rows = list(csv.DictReader(io.StringIO(comparison_csv(comparison))))
    pictures = [(row["classifier"], row["picture"], row["made_on"]) for row in rows]
    assert ("b", "adversarial", "a") in pictures
    assert ("a", "original of another", "b") in pictures
    assert pictures.count(("a", "noise", "")) == 1
    shown = next(row for row in rows if row["picture"] == "adversarial" and row["made_on"] == "b")
    report = comparison.classifiers[1].report
    assert float(shown["predicted_probability"]) == pytest.approx(report.after.confidence, rel=1e-7)
    assert float(shown["linf_pixel_units"]) == pytest.approx(report.linf, rel=1e-7)


def test_the_files_are_the_same_each_time_and_have_different_names(
    make_report: MakeReport,
) -> None:
    comparison = make_comparison(make_report, size=8)
    first, second = comparison.classifiers
    alike = (replace(first, name="my/model:a"), replace(second, name="my model a"))
    renamed = replace(
        comparison,
        classifiers=alike,
        transfers=tuple(
            Transfer(x.name, y.name, None, "it takes grey pictures") for x in alike for y in alike
        ),
    )
    files = comparison_files(renamed)
    assert files["adversarial-my-model-a-2.png"]
    assert files["noise-my-model-a.png"] == to_png(first.noise.image)
    assert len(files) == 4 + 2 * 4
    assert zipped(files) == zipped(comparison_files(renamed))
    with zipfile.ZipFile(io.BytesIO(zipped(files))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
