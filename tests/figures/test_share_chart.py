"""The chart of shares: the values and intervals it draws, and names that are data."""

from __future__ import annotations

import pytest

from explorer.experiments.fooled_share import FooledShare
from explorer.figures.export import figure_bytes
from explorer.figures.palette import ADVERSARIAL, ORIGINAL
from explorer.figures.share_chart import ShareSeries, share_chart, share_figure, share_sentence

SERIES = (
    ShareSeries("one", ADVERSARIAL, (FooledShare("a", 3, 4), FooledShare("<b>b</b>", 0, 0))),
    ShareSeries("two", ORIGINAL, (FooledShare("a", 0, 4), FooledShare("<b>b</b>", 5, 5))),
)


def test_a_point_with_its_interval_for_each_share_that_there_is():
    chart = share_chart(SERIES, "share")
    one, two = chart.data
    assert list(one.x) == [0.75]
    assert list(two.x) == [0.0, 1.0]
    low, high = SERIES[0].shares[0].interval
    assert one.error_x.array[0] == pytest.approx(high - 0.75)
    assert one.error_x.arrayminus[0] == pytest.approx(0.75 - low)
    assert two.error_x.arrayminus[0] == 0.0
    assert one.y[0] < two.y[0]  # side by side in the row of the classifier


def test_names_are_no_markup():
    chart = share_chart(SERIES, "share")
    assert chart.layout.yaxis.ticktext[1] == "&lt;b&gt;b&lt;/b&gt;"
    assert "<b>" not in chart.data[1].customdata[1]


def test_the_printed_figure_is_the_same_every_time():
    first = figure_bytes(share_figure(SERIES, "share", "caption"), "svg")
    assert first == figure_bytes(share_figure(SERIES, "share", "caption"), "svg")
    assert b"caption" in first


def test_the_sentence_has_the_interval_or_says_that_there_was_nothing():
    assert share_sentence(FooledShare("a", 5, 5)).startswith("100.0 % of 5 (95 % interval ")
    assert "no picture right" in share_sentence(FooledShare("a", 0, 0))
