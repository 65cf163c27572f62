"""Files of the row and of the grid, the link that restores the row, and its command line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st
from torch import Tensor

from explorer.experiments.ilyas2019.five_sets_command import five_sets_command
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult
from explorer.images.geometry import to_uint8
from explorer.images.open import GALLERY_PREFIX, UPLOAD_PREFIX
from explorer.ui.datasets.controls import LINKED, VIEW
from explorer.ui.datasets.loaded_set import LoadedSet, label_name
from explorer.ui.datasets.request import FiveSetsRequest
from explorer.ui.datasets.row_job import shown_request
from explorer.ui.shared.exports import ExportFile, download_buttons, file_name, link_with

FILES = (
    ExportFile("Figure, PNG", ".png", "image/png"),
    ExportFile("Figure, PDF", ".pdf", "application/pdf"),
    ExportFile("Figure, SVG", ".svg", "image/svg+xml"),
    ExportFile("Table, CSV", ".csv", "text/csv"),
)


def row_exports(row: FiveSetsResult) -> None:
    """An expander with the download buttons, the link that restores the row, and the command."""
    request = shown_request()
    if request is None:
        return
    with st.expander("Export and share this row", icon=":material/download:"):
        name = file_name(f"{request.picture.title} in five sets", "five-sets")
        download_buttons(FILES, partial(build_row, row), name, "row export")
        st.markdown("Link to this row:")
        st.code(row_link(request), language=None, wrap_lines=True)
        source = request.picture.source
        if source.startswith(UPLOAD_PREFIX):
            st.caption(
                "An uploaded picture can't be part of a link, which restores everything else."
            )
        elif not source.startswith(GALLERY_PREFIX):
            st.caption("The link opens the set of this image, and so works only where that set is.")
        st.markdown("The same row on the command line:")
        st.code(row_command(request, row), language="bash", wrap_lines=True)
        if not source.startswith((GALLERY_PREFIX, UPLOAD_PREFIX)):
            st.caption("Save the image of D as a picture first, under the name in this command.")


def row_link(request: FiveSetsRequest) -> str:
    """The address that restores the row of ``request``."""
    values = {key: request.controls.get(key) for key in LINKED}
    return link_with({**values, VIEW: st.session_state.get(VIEW)})


def row_command(request: FiveSetsRequest, row: FiveSetsResult) -> str:
    """The command that makes the same row."""
    source, start = request.picture, request.start
    picture = source.source.removeprefix(UPLOAD_PREFIX)
    if not source.source.startswith((GALLERY_PREFIX, UPLOAD_PREFIX)):
        picture = f"{file_name(source.title, 'image')}.png"
    return five_sets_command(
        picture,
        None if start is None else start.source,
        [model.name for model in row.models],
        request.settings,
        index=request.index,
        label=request.label,
        start_label=None if start is None else start.label,
    )


def build_row(row: FiveSetsResult, ending: str) -> bytes:
    """The file of the row with this ``ending``, one of :data:`FILES`."""
    from explorer.figures.export import figure_bytes
    from explorer.figures.print_five_sets import five_sets_figure
    from explorer.figures.set_tables import five_sets_csv

    if ending == ".csv":
        return five_sets_csv(row).encode()
    return figure_bytes(five_sets_figure(row), ending.removeprefix("."))


@dataclass(frozen=True)
class GridExport:
    """The images of ``loaded`` that were chosen, in their order, and those that are ``shown``.

    ``confidence`` float32 [2, N] is that of the standard and the robust classifier in each label;
    ``names`` are those of the classes.
    """

    loaded: LoadedSet
    chosen: list[int]
    shown: list[int]
    confidence: Tensor | None
    names: tuple[str, ...]


def grid_exports(grid: GridExport) -> None:
    """An expander with the download buttons of the grid."""
    if not grid.shown:
        return
    with st.expander("Export this grid", icon=":material/download:"):
        name = file_name(grid.loaded.title, "set")
        download_buttons(FILES, partial(build_grid, grid), name, "grid export")
        st.caption("The figures show these tiles; the table has every image of this class.")


def build_grid(grid: GridExport, ending: str) -> bytes:
    """The file of the grid with this ``ending``, one of :data:`FILES`."""
    from explorer.figures.export import figure_bytes
    from explorer.figures.print_tiles import PrintTile, tiles_figure
    from explorer.figures.set_tables import set_csv

    images = grid.loaded.set
    if ending == ".csv":
        return set_csv(images, grid.chosen, grid.names, grid.confidence).encode()
    tiles = []
    for index in grid.shown:
        label = grid.loaded.label(index)
        confidence = None
        if grid.confidence is not None and label is not None:
            standard, robust = grid.confidence[:2, index].tolist()
            confidence = standard, robust
        pixels = to_uint8(images.data.images[index].float() / 255)
        tiles.append(PrintTile(pixels, label_name(label, grid.names), confidence))
    return figure_bytes(tiles_figure(tiles, grid_caption(grid)), ending.removeprefix("."))


def grid_caption(grid: GridExport) -> str:
    """Which set the tiles are of, and what their bars are."""
    bars = ""
    if grid.confidence is not None:
        bars = " Bars: confidence in the label, standard in blue above robust in orange."
    return f"{grid.loaded.title}, {len(grid.shown):,} of {len(grid.chosen):,} images.{bars}"
