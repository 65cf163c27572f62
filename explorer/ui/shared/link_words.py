"""What a page says of a link: values that its widgets can't have, and names that it does not know.

A widget tells which values it takes with :func:`allow` or :func:`allow_range`, and a page names all
that is wrong with :func:`name_wrong_settings`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import nearest
from explorer.ui.components.markdown import plain, title_of
from explorer.ui.shared.address import (
    Refused,
    drop_infinite,
    is_step_in_history,
    refused_values,
    remember_asked,
    translate_value,
)
from explorer.ui.shared.page_foot import LARGE, is_large
from explorer.ui.shared.possible import MAX_OPTIONS, Choices, Fixed, Possible, Range

_MAX_SHOWN = 80  # characters of a value or a name
_IDLE = "idle settings of the link"  # in the session's state


def allow(
    key: str,
    options: Iterable[str],
    names: Mapping[str, str] | None = None,
    most: int | None = None,
) -> None:
    """Note that the widget with this ``key`` takes one of ``options``, or several up to ``most``.

    A link may write an option in small letters, or as one of the ``names`` that it has elsewhere.
    Call it before the widget.
    """
    choices = Choices(tuple(options), most)
    st.session_state[_possible(key)] = choices
    if key not in st.session_state or is_step_in_history():
        known = {option.casefold(): option for option in choices.options}
        known |= {name.casefold(): option for name, option in (names or {}).items()}
        texts = st.query_params.get_all(key)
        wrong = [text for text in texts if text not in choices.options]
        translate_value(key, {text: known.get(text.casefold(), text) for text in wrong})


def allow_range(key: str, low: float, high: float) -> None:
    """Note that the widget with this ``key`` takes numbers from ``low`` to ``high``, whole ones if
    both are of that type.
    """
    st.session_state[_possible(key)] = Range(low, high)
    drop_infinite(key)


def allow_only(key: str, value: float, reason: str) -> None:
    """Note that a page has no widget with this ``key``, but this ``value``, and for which
    ``reason``: a sentence in Markdown.
    """
    st.session_state[_possible(key)] = Fixed(value, reason)


def name_wrong_settings(
    container: DeltaGenerator,
    *keys: str,
    others: Iterable[str] = (),
    apart: Collection[str] = (),
    late: Collection[str] = (),
) -> None:
    """Say in ``container`` which settings of the link the page can't use, does not show or does not
    know, which values are possible, and what it shows instead.

    ``keys`` are those that the page has now, and ``others`` those that it may have later. ``apart``
    are those of ``keys`` for whose wrong values the page has its own words, and ``late`` those that
    come with a result. The words go with the next choice of the visitor. Call it after the widgets.
    """
    possible = {key: st.session_state.get(_possible(key)) for key in keys}
    fixed = {key: each.value for key, each in possible.items() if isinstance(each, Fixed)}
    remember_asked(LARGE)  # the switch at the foot of every page comes after this
    possible[LARGE], fixed[LARGE] = Choices(("true", "false")), is_large()
    refused = refused_values(*keys, LARGE, fixed=fixed)
    named = {key: each for key, each in refused.items() if key not in apart or each.is_repeated}
    for each in named.values():
        if each.is_lost:
            container.warning(f"{no_longer_here(each.texts)} {_instead(each)}")
    lines = [_refusal(key, each, possible[key]) for key, each in named.items() if not each.is_lost]
    known = {*keys, *others, LARGE}
    idle = _idle_settings(keys, {*fixed, *late})
    if hidden := [f"{name}={_cut(value)}" for name, value in idle.items() if name in known]:
        verb = "has" if len(hidden) == 1 else "have"
        said = plain(", ".join(hidden))
        lines.append(f"{said} {verb} no effect with the other settings as they are.")
    unknown = [(name, nearest(name, keys)) for name in idle if name not in known]
    lines += [_unknown(name, near) for name, near in unknown]
    if 0 < len(keys) <= MAX_OPTIONS and not all(near for _, near in unknown):
        lines.append(f"The settings of this page: {plain(', '.join(keys))}.")
    if lines:
        text = "\n".join(f"- {line}" for line in lines)
        container.warning(f"Not everything in this link can be used here:\n\n{text}")


def _idle_settings(keys: tuple[str, ...], used: Collection[str]) -> dict[str, str]:
    """The settings of the session's first address that no widget has, nor the page in another way
    (``used``), until the visitor changes one of its values.
    """
    state = st.session_state
    now = {key: str(state[key]) for key in keys if key in state}
    if _IDLE not in state:  # later addresses are made by the app, and may be of another page
        address = st.query_params
        asked = {name: ", ".join(address.get_all(name)) for name in address if name not in used}
        state[_IDLE] = asked, keys, now
    asked, of, before = state[_IDLE]
    has_changed = any(now[key] != value for key, value in before.items() if key in now)
    asked = {} if of != keys or has_changed else asked
    state[_IDLE] = asked, keys, {**before, **now}
    return {name: value for name, value in asked.items() if name not in state}


def _unknown(name: str, near: Sequence[str]) -> str:
    text = f"“{plain(_cut(name))}” is no setting of this page, and has no effect."
    if not near:
        return text
    return f"{text} Did you mean {' or '.join(f'“{plain(each)}”' for each in near)}?"


def _refusal(key: str, refused: Refused, possible: Possible | None) -> str:
    """A sentence on a wrong value."""
    said = plain(f"{key}={_cut(refused.text)}")
    if isinstance(possible, Fixed):
        return f"{said} has no effect. {possible.reason}"
    words = "one value" if refused.is_repeated else ""
    if possible is not None and not refused.is_repeated:
        words = possible.words(refused.texts)
    if words:
        said += f" (possible: {plain(words)})"
    return f"{said}. {_instead(refused)}"


def no_longer_here(texts: Sequence[str]) -> str:
    """Markdown: classifiers that the visitor had chosen are gone, and what to do."""
    names = " and ".join(f"**{plain(_cut(title_of(text)))}**" for text in texts)
    gone = f"The classifiers {names} are" if len(texts) > 1 else f"The classifier {names} is"
    return f"{gone} no longer here. Add a classifier again on the Models page, or choose another."


def _instead(refused: Refused) -> str:
    shown = ", ".join(title_of(text.removesuffix(".0")) for text in refused.shown)
    return f"The page {f'uses {plain(_cut(shown))}' if shown else 'leaves it empty'}."


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _possible(key: str) -> str:
    """Where the session's state has what the widget with this key takes."""
    return f"values of {key}"
