"""What a page says of a link: values that its widgets can't have, and names that it does not know.

A widget tells which values it takes with :func:`allow` or :func:`allow_range`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.components.markdown import plain
from explorer.ui.shared.address import refused_values

_MAX_SHOWN = 80  # characters of a value or a name
_MAX_OPTIONS = 12  # in the list of what is possible
_UNKNOWN = "unknown names of the link"  # in the session's state
_EVERYWHERE = ("large",)  # the key of the switch at the foot of every page


def allow(key: str, options: Iterable[str]) -> None:
    """Note that the widget with this ``key`` takes one of ``options``."""
    names = [*options]
    more = ["…"] if len(names) > _MAX_OPTIONS else []
    st.session_state[_allowed(key)] = ", ".join([*names[:_MAX_OPTIONS], *more])


def allow_range(key: str, low: float, high: float) -> None:
    """Note that the widget with this ``key`` takes numbers from ``low`` to ``high``."""
    st.session_state[_allowed(key)] = f"{low:g} to {_number(high)}"


def name_refused_values(container: DeltaGenerator, *keys: str) -> None:
    """Say in ``container`` which values of the link the page can't show, if there are any, and
    which it could.
    """
    if refused := refused_values(*keys):
        values = ", ".join(_refused(key, text) for key, text in refused.items())
        container.warning(
            f"Not everything in this link can be used here: {plain(values)}. The page shows its "
            "own values instead."
        )


def name_unknown_keys(container: DeltaGenerator, *keys: str) -> None:
    """Say in ``container`` which names of the session's first address this page does not know.

    ``keys`` are all those that the page has. The words go with the first choice of the visitor, as
    those of :func:`name_refused_values` do. Call it after the widgets.
    """
    state, known = st.session_state, {*keys, *_EVERYWHERE}
    values = tuple(str(state.get(key, st.query_params.get(key))) for key in keys)
    if _UNKNOWN not in state:  # later addresses are made by the app, and may be of another page
        names = [name for name in st.query_params if name not in known]
        state[_UNKNOWN] = names, keys, values
    names, of, before = state[_UNKNOWN]
    if (of, before) != (keys, values):
        state[_UNKNOWN] = [], keys, values
    elif names:
        container.warning(_unknown(names, keys))


def _unknown(names: list[str], keys: tuple[str, ...]) -> str:
    said = ", ".join(f"“{plain(_cut(name))}”" for name in names)
    near = {each for name in names for each in difflib.get_close_matches(name, keys, n=1)}
    text = f"This link has a setting that the page does not know: {said}. It has no effect."
    if len(names) > 1:
        text = f"This link has settings that the page does not know: {said}. They have no effect."
    if near:
        return f"{text} Did you mean {' or '.join(f'“{plain(each)}”' for each in sorted(near))}?"
    return f"{text} The page knows: {plain(', '.join(keys))}." if keys else text


def _refused(key: str, text: str) -> str:
    allowed = st.session_state.get(_allowed(key))
    return f"{key}={_cut(text)}" + (f" (possible: {allowed})" if allowed else "")


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _allowed(key: str) -> str:
    return f"values of {key}"
