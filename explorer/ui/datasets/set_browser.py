"""Browse a set by class, page by page, in order or by disagreement; a tile opens its row."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from explorer.experiments.evaluation.label_confidence import disagreement
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsSettings
from explorer.ui.components.markdown import sentence
from explorer.ui.datasets.controls import LINKED, SET_PAGE
from explorer.ui.datasets.exports import GridExport, grid_exports
from explorer.ui.datasets.image_choice import CHOSEN, GALLERY, PAGE, SET
from explorer.ui.datasets.label_confidences import label_confidences
from explorer.ui.datasets.loaded_set import ROW_SET, SOURCE_SET, LoadedSet, set_browsed
from explorer.ui.datasets.pair import ClassifierPair
from explorer.ui.datasets.session_set import parquet
from explorer.ui.datasets.set_loading import OTHER, SESSION_PREFIX, load_choice, set_choices
from explorer.ui.datasets.tile_grid import clicked_index, tile_grid
from explorer.ui.shared.address import choose_values, is_step_in_history
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_widgets import BIND
from explorer.ui.shared.stored_value import stored_whole_number, write_value

PAGE_SIZE = 48  # tiles
ALL = "all classes"
ORDERS = IN_ORDER, BY_DISAGREEMENT = "in order", "largest disagreement"
_PART = "part of the set"  # in the session's state: the set, class and order that a page is of
# Both classifiers are asked about a larger set only if it is ordered by their disagreement.
MAX_IMAGES_ASKED_AT_ONCE = 5000


def browse(pair: ClassifierPair) -> None:
    """Draw the controls and the grid."""
    choice, path = _choose_set(pair)
    loaded = load_choice(choice, path, pair)
    set_browsed(loaded)
    if loaded is None:
        if choice == OTHER and not path:
            st.info(
                "Name a folder that `python -m explorer build` wrote, a set of the authors' "
                "release, a Parquet file of pictures and labels or a pattern of its shards, or a "
                "folder with a sub-folder for each class.",
                icon=":material/folder_open:",
            )
        return
    if loaded.set.data.notes:
        st.caption(" ".join(sentence(note) for note in loaded.set.data.notes))
    model = classifier(pair.standard.name)
    names = loaded.set.data.names or model.labels
    label, order = _choose_part(names)
    confidence = None
    if mismatch := loaded.mismatch(model):
        st.info(sentence(mismatch), icon=":material/info:")
    elif len(loaded.set) <= MAX_IMAGES_ASKED_AT_ONCE or order == BY_DISAGREEMENT:
        confidence = label_confidences(loaded, pair)
    scores = None
    if confidence is not None and order == BY_DISAGREEMENT:
        scores = disagreement(confidence)
    indices = chosen_indices(loaded.set.data.labels, label, scores)
    part = (loaded.set.digest, label, order)
    first = _choose_page(len(indices), part) * PAGE_SIZE
    on_click = partial(_open_tile, loaded)
    shown = indices[first : first + PAGE_SIZE]
    tile_grid(loaded, shown, confidence, names, on_click)
    grid_exports(GridExport(loaded, indices, shown, confidence, tuple(names)))
    if loaded.built:
        _download(loaded)


def chosen_indices(labels: Tensor, label: int | None, scores: Tensor | None) -> list[int]:
    """The images with this label, all for None, by descending ``scores`` [N] or else in order."""
    chosen = torch.arange(len(labels)) if label is None else (labels == label).nonzero().flatten()
    if scores is not None:
        chosen = chosen[scores[chosen].argsort(descending=True, stable=True)]
    indices: list[int] = chosen.tolist()
    return indices


def _choose_set(pair: ClassifierPair) -> tuple[str, str]:
    """The chosen set, and a path if it is :data:`OTHER`."""
    options = set_choices(pair)
    if st.session_state.get("set") not in options:
        st.session_state.pop("set", None)
    allow("set", options)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    choice = str(left.selectbox("Set", options, key="set", bind=BIND))
    if choice != OTHER:
        return choice, ""
    path = right.text_input(
        "A path on the machine that runs this app",
        key="set_path",
        bind=BIND,
        placeholder="runs/sets/d_r",
    )
    return choice, path.strip()


def _choose_part(names: tuple[str, ...]) -> tuple[int | None, str]:
    """The class (None for all) and the order."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    classes = [ALL, *dict.fromkeys(names)]
    allow("set_class", classes)
    name = left.selectbox("Class", classes, key="set_class", bind=BIND)
    allow("set_order", ORDERS)
    order = right.segmented_control(
        "Order",
        ORDERS,
        default=IN_ORDER,
        required=True,
        key="set_order",
        bind=BIND,
        help="Largest disagreement: first the images in whose label the standard and the robust "
        "classifier's confidence differ most.",
    )
    return (None if name == ALL else names.index(name)), str(order)


def _choose_page(count: int, part: Hashable) -> int:
    """The number of the page of a ``part``, from 0; a caption says which images it shows.

    Another part begins with its first page.
    """
    state, pages = st.session_state, max(1, -(-count // PAGE_SIZE))
    page = stored_whole_number(SET_PAGE, 1, pages, 1)
    if state.get(_PART, part) != part:
        page = 1
    state[_PART] = part
    key = f"{SET_PAGE} {pages}"
    if page != state.get(SET_PAGE) or key not in state or is_step_in_history():
        state[key] = min(page, pages)
    if pages > 1:
        page = int(st.number_input(f"Page, 1 to {pages:,}", 1, pages, key=key))
    state[SET_PAGE] = page
    write_value(SET_PAGE, None if page == 1 else str(page))
    first, last = (page - 1) * PAGE_SIZE + 1, min(page * PAGE_SIZE, count)
    images = f"{first:,} to {last:,} of {count:,}" if count else "no image has this label"
    st.caption(
        f"{images}. Bars: confidence in the label, standard in blue above robust in orange. "
        "Click a tile to use it as the source above."
    )
    return page - 1


def _open_tile(loaded: LoadedSet) -> None:
    """Show the row of a tile: of the source it was built from if known, else of the image."""
    index = clicked_index()
    if index is None or not 0 <= index < len(loaded.set):
        return
    if loaded.built:
        values = loaded.built[index].request.row.controls
    elif (title := loaded.sample(index)) is not None:
        values = {"origin": GALLERY, f"{PAGE}image": title, **controls_as_built(loaded, index)}
    else:
        values = {"origin": SET, SOURCE_SET: loaded, ROW_SET: loaded.choice, "set_index": index}
    choose_values(values, LINKED)


def controls_as_built(loaded: LoadedSet, index: int) -> dict[str, Any]:
    """The values of the controls with which a row has an image of a computed set as it is there.

    Empty for a set that was not computed from the samples.
    """
    if not loaded.sources:
        return {}
    settings = FiveSetsSettings()  # with which all of these are built
    values: dict[str, Any] = {
        "row_seed": settings.seed,
        "match_steps": settings.match_steps,
        "attack_steps": settings.attack_steps,
        "length": settings.step_size,
        "radius": settings.epsilon,
    }
    starts = loaded.set.start_index
    if starts is not None and starts[index] >= 0:
        values |= {"begin": CHOSEN, "begin_image": loaded.sources[int(starts[index])]}
    return values


def _download(loaded: LoadedSet) -> None:
    short = loaded.title.removeprefix(SESSION_PREFIX)
    st.download_button(
        f"Download {short} as a set (Parquet)",
        partial(parquet, loaded.built),
        f"{short.lower()}-made-here.parquet",
        "application/vnd.apache.parquet",
        on_click="ignore",
        icon=":material/download:",
        key="set_download",
    )
