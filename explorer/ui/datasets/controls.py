"""The sidebar of the data page: the classifiers, the pictures and the settings of a row."""

from __future__ import annotations

import streamlit as st

from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import D_R, D_RAND
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsSettings
from explorer.ui.datasets.image_choice import PAGE, choose_source, choose_start
from explorer.ui.datasets.loaded_set import ROW_SET, SOURCE_SET
from explorer.ui.datasets.pair import choose_pair
from explorer.ui.datasets.request import FiveSetsRequest
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.linked_widgets import linked_number, linked_slider

_DEFAULTS = FiveSetsSettings()
# The keys of the widgets whose values are in the page's address and restore the row.
LINKED = (
    *("pair", "others", "origin", f"{PAGE}image", "begin", "begin_image", "row_seed"),
    *("match_steps", "attack_steps", "length", "radius", "set_index", ROW_SET, "shows"),
)
VIEW = "view"  # of the row: the pictures, or differences
BUILT = "built"  # the set whose image was built last, as the row has it
SET_PAGE = "set_page"
# The keys of all that the address has, with those of the sections below the row.
BELOW = (BUILT, "set", "set_path", "set_class", "set_order", SET_PAGE)  # the row
EVERY_KEY = (*LINKED, VIEW, *BELOW)
# The keys in the session's state that decide which row is on the page.
KEYS = (*LINKED, f"{PAGE}uploaded", SOURCE_SET)


def choose_row() -> FiveSetsRequest:
    """All choices of the sidebar.

    Raises :class:`~explorer.errors.UserError` if a classifier or a picture is missing.
    """
    pair, others = choose_pair()
    model = classifier(pair.standard.name)
    source = choose_source(model, pair)
    start = choose_start(model, source)
    settings = _choose_settings(model, start.seed)
    state = st.session_state
    return FiveSetsRequest(
        pair,
        others,
        source.picture,
        source.index,
        source.label,
        source.perceived_label,
        start.picture,
        start.index,
        settings,
        controls={key: state[key] for key in KEYS if state.get(key) is not None},
        set_name=source.set_name,
    )


def _choose_settings(model: Classifier, seed: int) -> FiveSetsSettings:
    match_steps = linked_slider(
        "Steps of D_R and D_NR",
        10,
        D_R.steps,
        _DEFAULTS.match_steps,
        step=10,
        key="match_steps",
        help=f"The paper takes {D_R.steps:,}.",
    )
    attack_steps = linked_slider(
        "Steps of D_rand and D_det",
        5,
        D_RAND.steps,
        _DEFAULTS.attack_steps,
        step=5,
        key="attack_steps",
        help=f"The paper takes {D_RAND.steps}.",
    )
    with st.expander("More settings"):
        step_size = linked_number(
            "Step size (L2, for 32 × 32 pixels)",
            0.01,
            5.0,
            _DEFAULTS.step_size,
            step=0.05,
            key="length",
            help=f"The paper's is {D_R.step_size:g}.",
        )
        epsilon = linked_number(
            "ε of D_rand and D_det (L2, for 32 × 32 pixels)",
            0.05,
            10.0,
            _DEFAULTS.epsilon,
            step=0.25,
            key="radius",
            help="The paper's is 0.5.",
        )
        for_cifar = FiveSetsSettings(match_steps, attack_steps, step_size, epsilon, seed)
        settings = for_cifar.for_size(model.input_size)
        if settings != for_cifar:
            height, width = model.input_size
            st.caption(
                f"In proportion to the side: for {height} × {width} pixels the step size is "
                f"{settings.step_size:g} and ε {settings.epsilon:g}."
            )
    return settings
