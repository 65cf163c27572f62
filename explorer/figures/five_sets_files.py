"""A row of five sets as files: the figure, the table and each image."""

from __future__ import annotations

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult
from explorer.figures.export import figure_bytes
from explorer.figures.print_five_sets import five_sets_figure
from explorer.figures.set_tables import five_sets_csv
from explorer.images.geometry import to_png

FORMATS = ("png", "pdf", "svg")


def five_sets_files(row: FiveSetsResult) -> dict[str, bytes]:
    """The contents of all files by name. The images have 8 bits, as they were classified."""
    figure = five_sets_figure(row)
    return {
        **{f"five-sets.{each}": figure_bytes(figure, each) for each in FORMATS},
        "five-sets.csv": five_sets_csv(row).encode(),
        **{f"{image.name}.png": to_png(image.image) for image in row.images},
    }
