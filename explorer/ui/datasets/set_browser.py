"""Browse a set: by class, page by page, in order or by how far the two classifiers are apart; a tile opens its row."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

import streamlit as st
import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.experiments.evaluation.label_confidence import disagreement, label_confidence
from explorer.ui.datasets.controls import GALLERY, SET
from explorer.ui.datasets.loaded_set import SOURCE_SET, LoadedSet, keep_browsed
from explorer.ui.datasets.request import ClassifierPair
from explorer.ui.datasets.session_set import parquet
from explorer.ui.datasets.set_loading import LANE, MADE, OTHER, choices, open_choice
from explorer.ui.datasets.tile_grid import opened_index, set_grid
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.classifiers import classifier

PAGE = 48  # tiles
ALL = "all classes"
IN_ORDER, SURPRISING = "in order", "most surprising"
WITHOUT_ASKING = 5000  # images that the classifiers are asked about as soon as a set is open
_KEPT = 16  # sets whose beliefs are kept

_beliefs: OrderedDict[tuple[str, str, str], Tensor] = OrderedDict()
_lock = threading.Lock()


def browse(pair: ClassifierPair) -> None:
    """The controls and the grid."""
    chosen, path = _choose_set(pair)
    opened = open_choice(chosen, path, pair)
    keep_browsed(opened)
    if opened is None:
        if chosen == OTHER and not path:
            st.info(
                "Name a folder that `python -m explorer build` made, a set of the authors' release, a Parquet file with "
                "`img` and `label`, or a folder with a sub-folder for each class.",
                icon=":material/folder_open:",
            )
        return
    model = classifier(pair.standard.name)
    names = opened.set.data.names or model.labels
    label, order = _choose_part(names)
    confidence = None
    wrong = opened.wrong_for(model)
    if wrong:
        st.info(wrong, icon=":material/info:")
    elif len(opened.set) <= WITHOUT_ASKING or order == SURPRISING:
        confidence = _confidence(opened, pair)
    gap = disagreement(confidence) if confidence is not None and order == SURPRISING else None
    indices = chosen_indices(opened.set.data.labels, label, gap)
    page = _choose_page(len(indices), opened)
    set_grid(
        opened, indices[page * PAGE : (page + 1) * PAGE], confidence, names, partial(_open, opened)
    )
    if opened.made:
        _download(opened)


def chosen_indices(labels: Tensor, label: int | None, gap: Tensor | None) -> list[int]:
    """The images with this label (all when None), in order or, with a ``gap`` [N], the largest gap first."""
    found = torch.arange(len(labels)) if label is None else (labels == label).nonzero().flatten()
    if gap is not None:
        found = found[gap[found].argsort(descending=True, stable=True)]
    indices: list[int] = found.tolist()
    return indices


def _choose_set(pair: ClassifierPair) -> tuple[str, str]:
    options = choices(pair)
    if st.session_state.get("set") not in options:
        st.session_state.pop("set", None)
    columns = st.columns([2, 3], vertical_alignment="bottom")
    chosen = str(columns[0].selectbox("Set", options, key="set"))
    path = ""
    if chosen == OTHER:
        path = (
            columns[1]
            .text_input(
                "Path on the machine the app runs on", key="set_path", placeholder="runs/sets/d_r"
            )
            .strip()
        )
    return chosen, path


def _choose_part(names: tuple[str, ...]) -> tuple[int | None, str]:
    """The class (None: all) and the order."""
    columns = st.columns([2, 3], vertical_alignment="bottom")
    picked = columns[0].selectbox("Class", [ALL, *dict.fromkeys(names)], key="set_class")
    order = columns[1].segmented_control(
        "Order",
        [IN_ORDER, SURPRISING],
        default=IN_ORDER,
        required=True,
        key="set_order",
        help="Most surprising: the largest gap between the standard's and the robust classifier's confidence in the label.",
    )
    return (None if picked == ALL else names.index(picked)), str(order)


def _choose_page(count: int, opened: LoadedSet) -> int:
    """The page, from 0; a line says what is on it."""
    pages = max(1, -(-count // PAGE))
    page = 1
    if pages > 1:
        page = int(
            st.number_input(
                f"Page, 1 to {pages}", 1, pages, 1, key=f"set_page {opened.set.digest} {pages}"
            )
        )
    first = (page - 1) * PAGE
    shown = (
        f"{first + 1} to {min(first + PAGE, count)} of {count}"
        if count
        else "no image has this label"
    )
    st.caption(
        f"{shown}. Bars: confidence in the label, standard in blue above robust in orange. A tile opens its row above."
    )
    return page - 1


@dataclass(frozen=True)
class _Asked:
    """Which classifiers are asked about which set."""

    opened: LoadedSet
    pair: ClassifierPair

    def models(self) -> tuple[Classifier, Classifier]:
        return classifier(self.pair.standard.name), classifier(self.pair.robust.name)

    @property
    def key(self) -> tuple[str, str, str]:
        standard, robust = self.models()
        return self.opened.set.digest, standard.digest, robust.digest


def _confidence(opened: LoadedSet, pair: ClassifierPair) -> Tensor | None:
    """What the pair believes of every label, [2, N]; None while a worker asks."""
    asked = _Asked(opened, pair)
    with _lock:
        known = _beliefs.get(asked.key)
    if known is not None:
        return known
    way = session_jobs(LANE)
    job = way.submit("beliefs", asked.key, partial(_ask, asked))
    return show_progress(way, job, "beliefs", _asking, keep=False)


def _asking(job: Job[Tensor]) -> str:
    done, total = job.progress
    return (
        f"Asking both classifiers about image {done} of {total}"
        if total
        else "Asking both classifiers"
    )


def _ask(asked: _Asked, job: Job[Tensor]) -> Tensor:
    def on_done(done: int, total: int) -> None:
        job.progress = done, total

    data = asked.opened.set.data
    found = label_confidence(
        asked.models(), data.images, data.labels, on_progress=on_done, cancelled=job.cancelled
    )
    with _lock:
        _beliefs[asked.key] = found
        while len(_beliefs) > _KEPT:
            _beliefs.popitem(last=False)
    return found


def _open(opened: LoadedSet) -> None:
    """Make the row above that of the tile: of its source where that is known, else of the image itself."""
    index = opened_index()
    if index is None or not 0 <= index < len(opened.set):
        return
    if opened.made:
        st.session_state.update(opened.made[index].question.row.controls)
    elif (title := opened.sample(index)) is not None:
        st.session_state.update({"origin": GALLERY, "image": title})
    else:
        st.session_state.update({"origin": SET, SOURCE_SET: opened, "set_index": index})


def _download(opened: LoadedSet) -> None:
    short = opened.title.removeprefix(MADE)
    st.download_button(
        f"Download {short} as a set (Parquet)",
        partial(parquet, opened.made),
        f"{short.lower()}-made-here.parquet",
        "application/vnd.apache.parquet",
        on_click="ignore",
        icon=":material/download:",
        key="set_download",
    )
