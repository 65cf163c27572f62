from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import pytest
import torch

from explorer.experiments.report import AttackReport
from explorer.figures import palette
from explorer.figures.charts import top_k_bars, trace_chart

MakeReport = Callable[..., AttackReport]


def ticks(figure: go.Figure) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


def traces(figure: go.Figure, start: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if (trace.name or "").startswith(start)]


def test_the_bars_are_the_probabilities_before_and_after(report: AttackReport) -> None:
    figure = top_k_bars(report)
    before, after = figure.data
    assert (before.name, after.name) == ("original", "adversarial")
    assert (before.marker.color, after.marker.color) == (palette.ORIGINAL, palette.ADVERSARIAL)
    for row, name in enumerate(before.customdata):
        index = report.names.index(name)
        assert before.x[row] == float(report.before.probabilities[index])
        assert after.x[row] == float(report.after.probabilities[index])


def test_the_most_probable_class_now_stands_on_top(report: AttackReport) -> None:
    figure = top_k_bars(report)
    assert list(figure.data[1].x) == sorted(figure.data[1].x, reverse=True)
    assert figure.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize("k", [1, 2, 5])
def test_label_and_target_stay_in_view_however_improbable(make_report: MakeReport, k: int) -> None:
    made = make_report(label=3, target=5)
    for prediction in (made.before, made.after):
        prediction.probabilities[[3, 5]] = torch.tensor([1e-9, 2e-9])
    found = ticks(top_k_bars(made, k))
    assert "class 3<br><i>label</i>" in found
    assert "class 5<br><i>target</i>" in found
    assert any(made.after.name == tick for tick in found)


def test_k_classes_are_shown_and_no_more_than_there_are(make_report: MakeReport) -> None:
    assert len(ticks(top_k_bars(make_report(), 5))) == 5
    assert len(ticks(top_k_bars(make_report(names=("a", "b", "c"), label=0, target=1), 5))) == 3


def test_two_classes_of_one_name_have_a_bar_each(make_report: MakeReport) -> None:
    figure = top_k_bars(make_report(names=("crane", "crane", "owl"), label=0, target=1))
    assert sorted(figure.data[0].y) == [0, 1, 2]


def test_names_are_shortened_on_the_axis_whole_in_the_hover_and_never_markup(make_report: MakeReport) -> None:
    name = "<b>American Staffordshire terrier, Staffordshire terrier, American pit bull terrier"
    figure = top_k_bars(make_report(names=(name, "b", "c"), label=0, target=1))
    (tick,) = [tick for tick in ticks(figure) if "American" in tick]
    assert tick == "&lt;b&gt;American<br>Staffordshire …<br><i>label</i>"
    assert f"&lt;b&gt;{name[3:]}" in figure.data[0].customdata


def test_the_curves_are_the_trace(report: AttackReport) -> None:
    figure = trace_chart(report, None)
    probabilities = report.trace.logits[:, 0].softmax(1)
    (label,), (target,), (loss,) = (traces(figure, start) for start in ("label: class 3", "target: class 5", "loss"))
    (predicted,) = traces(figure, "predicted class")
    assert list(label.x) == list(range(8))
    assert list(label.y) == probabilities[:, 3].tolist()
    assert list(target.y) == probabilities[:, 5].tolist()
    assert list(predicted.y) == probabilities.amax(1).tolist()
    assert list(predicted.customdata) == [report.names[i] for i in probabilities.argmax(1)]
    assert list(loss.y) == report.trace.loss[:, 0].tolist()
    assert (label.yaxis, loss.yaxis) == ("y", "y2")


def test_an_untargeted_attack_has_no_curve_of_a_target(make_report: MakeReport) -> None:
    assert not traces(trace_chart(make_report(target=None), None), "target")


def test_the_step_looked_at_is_marked_on_every_curve(report: AttackReport) -> None:
    figure = trace_chart(report, 2)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    marks = {(trace.x[0], trace.y[0], trace.yaxis) for trace in figure.data if trace.mode == "markers"}
    assert len(lines) == 4
    for line in lines:
        assert (2, line.y[2], line.yaxis) in marks
    assert {shape.x0 for shape in figure.layout.shapes} == {2}
    assert not trace_chart(report, None).layout.shapes


def test_the_kept_point_is_marked_with_its_step(make_report: MakeReport) -> None:
    made = make_report()
    made.trace.kept[0] = 4
    (kept,) = traces(trace_chart(made, None), "the point kept")
    assert (kept.name, kept.x[0]) == ("the point kept: step 4", 4)
    assert kept.y[0] == float(made.trace.logits[4, 0].softmax(0).max())


@pytest.mark.parametrize("at", [-1, 8])
def test_a_step_that_is_not_there_is_refused(report: AttackReport, at: int) -> None:
    with pytest.raises(ValueError, match="steps 0 to 7"):
        trace_chart(report, at)


@pytest.mark.parametrize(
    ("loss", "target", "title"),
    [("ce", None, "cross-entropy<br>of the label"), ("ce", 5, "− cross-entropy<br>of the target"), ("cw", 5, "margin")],
)
def test_axes_say_what_their_numbers_are_of(make_report: MakeReport, loss: str, target: int | None, title: str) -> None:
    figure = trace_chart(make_report(loss=loss, target=target), None)
    assert figure.layout.yaxis2.title.text == title
    assert figure.layout.yaxis.title.text == "probability"
    assert "step" in figure.layout.xaxis2.title.text
    assert top_k_bars(make_report()).layout.xaxis.title.text == "probability of the class"


@pytest.mark.parametrize("steps", [1, 4, 10])
def test_a_short_attack_has_a_tick_a_step(make_report: MakeReport, steps: int) -> None:
    assert trace_chart(make_report(steps=steps), None).layout.xaxis2.dtick == 1


def test_the_page_shows_through(report: AttackReport) -> None:
    for figure in (top_k_bars(report), trace_chart(report, 0)):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
        assert figure.layout.font.color is None
