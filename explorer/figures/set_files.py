"""The files of a question about many images: figures for print, and the rows as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from explorer.experiments.sweep.accuracy_sweep import SweepRow
from explorer.experiments.sweep.image_set import ImageSet
from explorer.experiments.sweep.recipe import SetRecipe
from explorer.experiments.sweep.smallest_epsilon import SmallestEpsilons
from explorer.experiments.sweep.transfer import TransferCell
from explorer.figures.accuracy_curves import accuracy_figure
from explorer.figures.export import figure_bytes
from explorer.figures.series import Series
from explorer.figures.set_captions import attack_line
from explorer.figures.smallest_histogram import smallest_figure
from explorer.figures.smallest_pictures import smallest_row, spread_pictures
from explorer.figures.transfer_chart import transfer_figure

FORMATS = ("png", "pdf", "svg")
Rows = Sequence[Mapping[str, object]]


def sweep_files(
    curves: Mapping[str, Sequence[SweepRow]],
    series: Sequence[Series],
    recipe: SetRecipe,
    rows: Rows,
) -> dict[str, bytes]:
    """The curves in three formats and the table, by file name."""
    images = next(iter(curves.values()))[0].n
    caption = f"{attack_line(recipe, images)}. The bands are 95 % Wilson intervals."
    figure = accuracy_figure(curves, series, recipe.attack.norm, caption)
    return _named("accuracy", figure) | {"accuracy.csv": table_csv(rows).encode()}


def smallest_files(
    results: Mapping[str, SmallestEpsilons],
    images: Sequence[ImageSet],
    series: Sequence[Series],
    recipe: SetRecipe,
    rows: Rows,
) -> dict[str, bytes]:
    """The histogram and a row of pictures for each classifier, in three formats, and the table."""
    norm = recipe.attack.norm
    caption = (
        f"{attack_line(recipe, len(images[0]))}. Each ε is an upper bound: an adversarial image at "
        "this distance was found."
    )
    files = _named("smallest", smallest_figure(results, series, norm, caption))
    for index, (each, result) in enumerate(zip(series, results.values(), strict=True)):
        pictures = spread_pictures(images[index].data, result)
        row = smallest_row(pictures, norm, f"{each.title}: {caption}")
        files |= _named(f"pictures-{index + 1}", row)
    return files | {"smallest.csv": table_csv(rows).encode()}


def transfer_files(
    cells: Sequence[TransferCell],
    series: Sequence[Series],
    recipe: SetRecipe,
    images: int,
    rows: Rows,
) -> dict[str, bytes]:
    """The matrix in three formats and the table."""
    caption = (
        f"{attack_line(recipe, images)}. Of the n images that both classifiers get right, the "
        "share that fools the column after an attack on the row."
    )
    files = _named("transfer", transfer_figure(cells, series, caption))
    return files | {"transfer.csv": table_csv(rows).encode()}


def table_csv(rows: Rows) -> str:
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


def _named(name: str, figure: Figure) -> dict[str, bytes]:
    return {f"{name}.{each}": figure_bytes(figure, each) for each in FORMATS}
