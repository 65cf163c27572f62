"""The files of a question about many images: figures for print, and the rows as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from explorer.experiments.sweep.question import Answer
from explorer.figures.accuracy_curves import accuracy_figure
from explorer.figures.export import figure_bytes
from explorer.figures.series import Series
from explorer.figures.set_captions import attack_line
from explorer.figures.smallest_histogram import smallest_figure
from explorer.figures.smallest_pictures import smallest_row, spread_pictures
from explorer.figures.transfer_chart import transfer_figure

FORMATS = ("png", "pdf", "svg")


def series_of(answer: Answer) -> tuple[Series, ...]:
    """The classifiers of an answer as series of a chart."""
    question = answer.question
    return tuple(
        Series(name, each.title, each.robust)
        for name, each in zip(question.names, question.classifiers, strict=True)
    )


def answer_files(answer: Answer) -> dict[str, bytes]:
    """All files of an answer by name, the recipe last: figures in three formats, and a table."""
    figures = answer_figures(answer)
    files = {
        f"{name}.{each}": figure_bytes(figure, each)
        for name, figure in figures.items()
        for each in FORMATS
    }
    files[f"{next(iter(figures))}.csv"] = table_csv(answer.rows).encode()
    return files | {"recipe.json": answer.question.recipe.to_json().encode()}


def answer_figures(answer: Answer) -> dict[str, Figure]:
    """The figures for print by name, the main one first."""
    series, norm = series_of(answer), answer.question.attack.norm
    asked = attack_line(answer.question.recipe, len(answer.question.images[0]))
    if answer.curves:
        caption = f"{asked}. The bands are 95 % Wilson intervals."
        return {"accuracy": accuracy_figure(answer.curves, series, norm, caption)}
    if answer.smallest:
        caption = (
            f"{asked}. Each ε is an upper bound: an adversarial image at this distance was found."
        )
        figures = {"smallest": smallest_figure(answer.smallest, series, norm, caption)}
        for number, each in enumerate(series):
            data = answer.question.images[number].data
            pictures = spread_pictures(data, answer.smallest[each.name])
            row = smallest_row(pictures, norm, f"{each.title}: {caption}")
            figures[f"pictures-{number + 1}"] = row
        return figures
    caption = (
        f"{asked}. Of the n images that both classifiers get right, the share that fools the "
        "column after an attack on the row."
    )
    return {"transfer": transfer_figure(answer.cells, series, caption)}


def table_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """``rows`` as CSV with a header. A number has the digits with which it is read back exactly.

    What there is no value for is empty.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
