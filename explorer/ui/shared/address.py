"""The page's address: old keys, choices, and values that its widgets could not take."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.files import PAGES


def drop_infinite(key: str) -> None:
    """Remove an infinite number from the address, as in ``?seed=inf``, and run the page again.

    Streamlit ignores most values that a widget can't have, but fails to make a whole number of
    this one. Call it before a widget for numbers.
    """
    if any(map(is_infinite, st.query_params.get_all(key))):
        _replace({key: ()})


def is_infinite(text: str) -> bool:
    """Whether ``text`` is an infinite number."""
    with suppress(ValueError):
        return math.isinf(float(text))
    return False


def rename_value(old: str, new: str) -> None:
    """Let an address that was made before a widget's key became ``new`` still mean that widget.

    Call it before the page's widgets; it runs the page again if the address has the ``old`` key.
    """
    texts = st.query_params.get_all(old)
    # Streamlit may take the address of another page along, in which the key means something else:
    # but not to the first run of this page.
    if texts and (new not in st.session_state or is_step_in_history()):
        _replace({old: (), new: texts})


def translate_value(key: str, values: Mapping[str, str]) -> None:
    """Let texts of the address stand for those that ``values`` has for them.

    Call it before the widget; it runs the page again if the address has such a text.
    """
    texts = st.query_params.get_all(key)
    meant = [values.get(text, text) for text in texts]
    if meant != texts:
        _replace({key: meant})


def replace_values(asked: Mapping[str, str], changes: Mapping[str, Sequence[str]]) -> None:
    """Let an address that has all values of ``asked`` stand for one with the ``changes``.

    Call it before the widgets; it runs the page again if the address has these values.
    """
    if all(st.query_params.get(key) == value for key, value in asked.items()):
        _replace(changes)


def is_step_in_history() -> bool:
    """Whether this run is the one of a step in the browser's history, whose address counts."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _replace(changes: Mapping[str, Sequence[str]]) -> None:
    """Give keys of the address other texts, or none, and run the page again with that address.

    ``st.query_params`` refuses to change what a widget has had, as after a step back in the
    browser's history. Such a widget keeps its value, so that the session's state gets it too.
    """
    context = get_script_run_ctx()
    if not changes or context is None:
        return
    with context.session_state.query_params() as address:
        for key, texts in changes.items():
            if texts:
                address.set_corrected_value(key, [*texts], "string_array_value")
            else:
                address.remove_param(key)
    for key, texts in changes.items():
        if texts and key in st.session_state:
            many = isinstance(st.session_state[key], list)
            st.session_state[key] = [*texts] if many else texts[-1]
    st.rerun()  # widgets read the address with which a run began


def choose_values(values: Mapping[str, object], linked: Container[str]) -> None:
    """Give widgets these values, by key, in a callback. ``linked`` are the keys in the address.

    Streamlit writes the values of the widgets that are on the page into the address, but not those
    of widgets that this very choice brings there.
    """
    st.session_state.update({**values})
    for key, value in values.items():
        if key in linked and value is not None:
            with suppress(StreamlitAPIException):  # it is on the page
                st.query_params[key] = _texts_of(value)


def open_page(
    page: str, values: Mapping[str, object], kept: Mapping[str, object] | None = None
) -> NoReturn:
    """Go to a page, ``compare`` or another file in ``pages/``, whose controls have these values.

    They are by key, in the form of an address; None stands for the default of a control. Streamlit
    would keep what the visitor chose there before. ``kept`` are values of widgets that are kept for
    the session (``persist_state``) and would come back.
    """
    for key in values:
        st.session_state.pop(key, None)
    st.session_state.update({**(kept or {})})
    address = {key: _texts_of(value) for key, value in values.items() if value is not None}
    st.switch_page(PAGES / f"{page}.py", query_params=address)


def remember_asked(*keys: str) -> None:
    """Remember what the address asks of the widgets with these ``keys``.

    Streamlit drops values that a widget can't have without a word. Call it before the widgets.
    """
    state = st.session_state
    for key in keys:
        texts = tuple(st.query_params.get_all(key))
        # Of a widget that has a value the address asks nothing: it may lag behind quick choices.
        is_question = key not in state or is_step_in_history()
        if texts and texts != state.get(_read(key)):
            if is_question:
                state[_asked(key)] = texts, None
            elif state.get(_asked(key), ((), ()))[1] is None:
                del state[_asked(key)]  # it was not on the page yet, and has another value by now
        state[_read(key)] = texts


def remember_lost(key: str, known: Container[str]) -> None:
    """Remember the value of a list of choices as lost if it is no longer one of those ``known``.

    As a visitor's own model, which goes when it is removed or the connection breaks: Streamlit then
    takes another choice without a word. Call it before the widget.
    """
    value = st.session_state.get(key)
    if value is not None and not all(text in known for text in _texts_of(value)):
        st.session_state[_asked(key)] = _texts_of(value), None
        st.session_state[_lost(key)] = _texts_of(value)


@dataclass(frozen=True)
class Refused:
    """``texts`` that a link asks of a widget in vain, and the ``shown`` ones; () for none.

    ``is_repeated`` says that there are several where the widget has one value, and ``is_lost`` that
    the visitor had chosen them, and that they are no longer here.
    """

    texts: tuple[str, ...]
    shown: tuple[str, ...]
    is_repeated: bool = False
    is_lost: bool = False

    @property
    def text(self) -> str:
        """The texts in one."""
        return ", ".join(self.texts)


def refused_values(*keys: str, fixed: Mapping[str, float] | None = None) -> dict[str, Refused]:
    """By key, what the widgets did not take of the address, until the visitor changes one of them.

    ``fixed`` are the values that a page has in place of widgets that it does not show. Call it
    after the widgets. What is asked of a widget that comes later is remembered until then.
    """
    state = st.session_state
    instead = fixed or {}
    values = {
        key: state[key] if key in state else instead[key]
        for key in keys
        if key in state or key in instead
    }
    refused: dict[str, Refused] = {}
    for key in values:
        texts, shown = state.get(_asked(key), ((), None))
        now = _texts_of(values[key])
        if shown not in (None, now):  # the visitor chose
            refused.clear()
            break
        if texts and not _are_equal(texts, now):
            state[_asked(key)] = texts, now
            is_one = not isinstance(values[key], list | tuple)
            is_lost = state.get(_lost(key)) == texts
            refused[key] = replace(_refusal(texts, now, is_one=is_one), is_lost=is_lost)
    for key in values:
        if key not in refused:
            state.pop(_asked(key), None)
            state.pop(_lost(key), None)
    return refused


def _refusal(texts: tuple[str, ...], now: tuple[str, ...], *, is_one: bool) -> Refused:
    shown = tuple(text for text in now if text)
    if is_one:
        return Refused(texts, shown, is_repeated=len(texts) > 1)
    wrong = tuple(
        text for text in texts if texts.count(text) > 1 or not any(_is_same(text, n) for n in now)
    )
    return Refused(wrong or texts, shown)


def _texts_of(value: object) -> tuple[str, ...]:
    """A widget's value as the address has it."""
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    text = "" if value is None else str(value)
    return (text.lower() if isinstance(value, bool) else text,)


def _are_equal(texts: tuple[str, ...], value: tuple[str, ...]) -> bool:
    """Whether ``texts`` in an address stand for this value of a widget."""
    if texts == ("",) and not value:  # how linked_multiselect writes an empty list
        return True
    return len(texts) == len(value) and all(map(_is_same, texts, value))


def _is_same(text: str, value: str) -> bool:
    if text.casefold() == value.casefold():  # no number is equal to nan
        return True
    with suppress(ValueError):
        return math.isclose(float(text), float(value))
    return False


def _asked(key: str) -> str:
    """Where the session's state has what a link asked of a widget, and what is shown instead."""
    return f"link's {key}"


def _lost(key: str) -> str:
    """Where the session's state has the visitor's own choice that is no longer here."""
    return f"lost {key}"


def _read(key: str) -> str:
    """Where the session's state has what the address of the last run had."""
    return f"address's {key}"
