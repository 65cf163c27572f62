"""The page of two Gaussians below its introduction: the plane, what it shows, and the exports."""

from __future__ import annotations

from dataclasses import astuple, fields

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import UserError
from explorer.experiments.gaussians_table import table_csv
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import sentence
from explorer.ui.components.question_history import track_history
from explorer.ui.gaussians.plane import PlaneState, plane
from explorer.ui.shared.address import remember_asked
from explorer.ui.shared.exports import ExportFile, download_buttons, link_with
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.link_words import name_wrong_settings
from explorer.ui.shared.stored_value import stored_number

# As in figure 4 of the paper in kind: a direction that predicts well and is soon overcome.
PRESETS = {
    "Long and thin": PlaneState(6.0, 3.0, 6.0, 1.5, 0.0, 2.0),
    "Round": PlaneState(6.0, 3.0, 3.0, 3.0, 0.0, 2.0),
    "Tilted": PlaneState(5.0, 0.0, 7.0, 1.0, 0.6, 3.0),
}
KEYS = tuple(f"gauss_{field.name}" for field in fields(PlaneState))
LIMITS = ((-19.0, 19.0), (-9.0, 9.0), (0.3, 9.0), (0.3, 9.0), (-7.0, 7.0), (0.0, 10.0))
FILES = (
    ExportFile("Figure, PNG", "-figure.png", "image/png"),
    ExportFile("Figure, PDF", "-figure.pdf", "application/pdf"),
    ExportFile("Figure, SVG", "-figure.svg", "image/svg+xml"),
    ExportFile("Numbers, CSV", ".csv", "text/csv"),
)
_WORDS = ("gradient", "epsilon", "l2", "robust_feature")
_PLANE = "gaussians plane"  # in the session's state

WHY = r"""
$y = \pm 1$ with equal probability and $x \sim \mathcal N(y\,\mu, \Sigma)$. Maximum likelihood
predicts $\mathrm{sign}(x^\top \Sigma^{-1} \mu)$: the less the points vary along a direction, the
more it relies on that direction. One with little variance predicts well, and a small change along
it is enough to change the answer. This is the paper's non-robust feature in its simplest form:
nothing about the classifier is wrong, and yet it is easy to fool.

- **Theorem 1**: an adversary who pays $C\|\delta\|_2^2$ for a change raises the loss by
  $\mathrm{tr}\big[(I + (C\Sigma - I)^{-1})^2\big] - d$. For a given total variance that is least
  where all directions vary alike.
- **Theorem 2**: learned against an adversary, the mean stays $\mu$ and the covariance becomes
  $\Sigma_r = \frac12 \Sigma + \frac1\lambda I + \sqrt{\frac1\lambda \Sigma + \frac14 \Sigma^2}$,
  wider where $\Sigma$ is narrow. $\lambda$ is the adversary's price; here it is the one at which
  its changes have the length $\varepsilon$ in the root mean square.
- **Theorem 3**: the gradient of the robust classifier points more along the line from class to
  class. So the gradients of robust classifiers mean more to people.

Under an attack that moves each point by at most $\varepsilon$, sign$(w^\top x)$ errs with
probability $\Phi\big(-(w^\top\mu - \varepsilon\|w\|_2) / \sqrt{w^\top \Sigma w}\big)$.
"""


def gaussians_page() -> None:
    """Fill the page."""
    with report_errors():
        notice = st.container()
        remember_asked(*KEYS)
        state = _state(notice)
        name_wrong_settings(notice, *KEYS)
        _presets()
        plane(state, _PLANE, _moved)
        st.caption(
            "Blue, solid: what a classifier learns from the points as they are (maximum "
            "likelihood). Orange, dashed: what it learns against an adversary who moves them. Each "
            "has its decision line, and ellipses for the spread that it believes in (one standard "
            "deviation). The dotted circle has the radius ε."
        )
        glossary_words(_WORDS, "gaussians")
        with st.expander("Why does this work?", icon=":material/help:"):
            st.markdown(WHY)
        st.header("Export and share")
        download_buttons(FILES, lambda ending: _build(state, ending), "two-gaussians", "gaussians")
        st.markdown("Link to this picture:")
        st.code(link_with(_values(state)), language=None, wrap_lines=True)
        track_history(KEYS, astuple(state))


def _presets() -> None:
    with st.container(horizontal=True, key="gaussians presets"):
        for name, state in PRESETS.items():
            st.button(name, key=f"gaussians {name}", on_click=_set, args=(state,))


def _state(notice: DeltaGenerator) -> PlaneState:
    """The session's state: at first that of the address, as far as it can be used."""
    first = next(iter(PRESETS.values()))
    values = []
    for key, default, limits in zip(KEYS, astuple(first), LIMITS, strict=True):
        values.append(stored_number(key, *limits, default))
    state = PlaneState(*values)
    try:
        state.gaussians()
    except UserError as error:
        notice.warning(f"{sentence(str(error))} The page shows its first example instead.")
        _set(first)
        return first
    return state


def _moved() -> None:
    """Take over what the browser reports; values that it can't have are ignored."""
    moved = st.session_state[_PLANE].get("moved")
    usable = isinstance(moved, list) and len(moved) == len(KEYS)
    if usable and all(isinstance(value, int | float) for value in moved):
        limited = [
            min(high, max(low, float(value)))
            for value, (low, high) in zip(moved, LIMITS, strict=True)
        ]
        state = _checked(PlaneState(*limited))
        if state is not None:
            _set(state)


def _checked(state: PlaneState) -> PlaneState | None:
    try:
        state.gaussians()
    except UserError:
        return None
    return state


def _set(state: PlaneState) -> None:
    st.session_state.update(_values(state))


def _values(state: PlaneState) -> dict[str, float]:
    return dict(zip(KEYS, astuple(state), strict=True))


def _build(state: PlaneState, ending: str) -> bytes:
    from explorer.figures.export import figure_bytes
    from explorer.figures.print_gaussians import gaussians_figure

    if ending == ".csv":
        return table_csv(state.gaussians(), state.radius).encode()
    figure = gaussians_figure(state.gaussians(), state.radius)
    return figure_bytes(figure, ending.rpartition(".")[2])
