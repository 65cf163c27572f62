"""The table of a comparison: each picture shown to each classifier."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from explorer.experiments.compare import Comparison
from explorer.figures.comparison_table import comparison_table
from explorer.figures.series import classifier_colours
from explorer.ui.components.component import component

_draw = component(__file__)


def answers(comparison: Comparison, key: str) -> None:
    """Draw the table: a row for each picture, a column for each classifier."""
    _draw(key=key, data=table_data(comparison))


def table_data(comparison: Comparison) -> dict[str, Any]:
    """Everything that the browser shows of the table, as plain text."""
    classifiers = comparison.classifiers
    colours = classifier_colours(each.robust for each in classifiers)
    columns = [
        {"title": each.title, "colour": colour}
        for each, colour in zip(classifiers, colours, strict=True)
    ]
    return {"columns": columns, "rows": [asdict(row) for row in comparison_table(comparison)]}
