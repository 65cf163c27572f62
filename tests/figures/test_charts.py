from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import pytest
import torch

from explorer.experiments.one_image.report import AttackReport
from explorer.figures import palette
from explorer.figures.charts import EDGE, apply_chart_style, top_k_bars

MakeReport = Callable[..., AttackReport]


def ticks(figure: go.Figure) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


def test_the_bars_are_the_probabilities_before_and_after(report: AttackReport) -> None:
    figure = top_k_bars(report)
    before, after = figure.data
    assert (before.name, after.name) == ("original", "adversarial")
    assert (before.marker.color, after.marker.color) == (palette.ORIGINAL, palette.ADVERSARIAL)
    for row, name in enumerate(before.customdata):
        index = report.names.index(name)
        assert before.x[row] == float(report.before.probabilities[index])
        assert after.x[row] == float(report.after.probabilities[index])


def test_the_most_probable_class_of_the_adversarial_image_is_on_top(report: AttackReport) -> None:
    figure = top_k_bars(report)
    assert list(figure.data[1].x) == sorted(figure.data[1].x, reverse=True)
    assert figure.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize("k", [1, 2, 5])
def test_label_and_target_are_shown_at_any_probability(make_report: MakeReport, k: int) -> None:
    report = make_report(label=3, target=5)
    for prediction in (report.before, report.after):
        prediction.probabilities[[3, 5]] = torch.tensor([1e-9, 2e-9])
    names = ticks(top_k_bars(report, k))
    assert "class 3<br><i>label</i>" in names
    assert "class 5<br><i>target</i>" in names
    assert report.after.name in names


def test_k_classes_are_shown_or_all_if_there_are_fewer(make_report: MakeReport) -> None:
    assert len(ticks(top_k_bars(make_report(), 5))) == 5
    assert len(ticks(top_k_bars(make_report(names=("a", "b", "c"), label=0, target=1), 5))) == 3


def test_two_classes_with_the_same_name_have_a_bar_each(make_report: MakeReport) -> None:
    figure = top_k_bars(make_report(names=("crane", "crane", "owl"), label=0, target=1))
    assert sorted(figure.data[0].y) == [0, 1, 2]


def test_names_are_short_on_the_axis_whole_in_the_hover_text_and_escaped_in_both(
    make_report: MakeReport,
) -> None:
    name = "<b>American Staffordshire terrier, Staffordshire terrier, American pit bull terrier"
    figure = top_k_bars(make_report(names=(name, "b", "c"), label=0, target=1))
    (tick,) = [tick for tick in ticks(figure) if "American" in tick]
    assert tick == "&lt;b&gt;American<br>Staffordshire<br>terrier …<br><i>label</i>"
    assert f"&lt;b&gt;{name[3:]}" in figure.data[0].customdata


def test_quotation_marks_in_names_stay(make_report: MakeReport) -> None:
    # plotly knows no &quot;
    figure = top_k_bars(make_report(names=('a "t"', "it's", "c"), label=0, target=1))
    assert {'a "t"', "it's"} <= set(figure.data[0].customdata)


def test_background_and_text_colour_are_the_pages(report: AttackReport) -> None:
    figure = top_k_bars(report)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert figure.layout.font.color is None


def test_the_last_tick_has_room_at_the_edge_and_names_are_wrapped_at_spaces(
    make_report: MakeReport,
) -> None:
    names = ("hoofed mammal", "Staffordshire bullterrier", "c")
    figure = top_k_bars(make_report(names=names, label=2, target=2))
    assert {"hoofed<br>mammal", "Staffordshire<br>bullterrier"} <= set(ticks(figure))
    assert figure.layout.xaxis.tickangle == 0
    assert apply_chart_style(go.Figure()).layout.margin.r == EDGE
