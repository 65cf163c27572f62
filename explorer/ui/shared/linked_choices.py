"""Lists of choices with titles, whose address has names: a list of Streamlit's that is bound to the
address would write the titles there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.classifiers import Entry
from explorer.ui.shared.address import is_step_in_history
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.stored_value import stored_value, write_value


def titles_of(names: Sequence[str], known: Mapping[str, Entry]) -> dict[str, str]:
    """The titles of classifiers by their names; with the name in addition if several have one."""
    counts = Counter(known[name].title for name in names)
    titles = {name: known[name].title for name in names}
    return {
        name: title if counts[title] == 1 else f"{title} ({name})" for name, title in titles.items()
    }


def linked_select(
    label: str, titles: Mapping[str, str], first: str, *, key: str, **options: Any
) -> str:
    """The name that is chosen from the list of ``titles``, at the start ``first``.

    ``options`` are others of Streamlit's selectbox.
    """
    state, names = st.session_state, list(titles)
    allow(key, names, _names(titles))
    if key in state and state[key] not in titles:
        state[key] = first
    stored_value(key, lambda text: text if text in titles else None, first)
    chosen = st.selectbox(label, names, key=key, format_func=_title_in(titles), **options)
    name = str(chosen) if chosen in titles else first  # a forged request may have any
    write_value(key, None if name == first else name)
    return name


def linked_multiselect(
    label: str,
    titles: Mapping[str, str],
    first: Sequence[str],
    *,
    key: str,
    most: int | None = None,
    **options: Any,
) -> list[str]:
    """The names, up to ``most``, that are chosen from the list of ``titles``, at first ``first``.

    ``options`` are others of Streamlit's multiselect.
    """
    state, names, first = st.session_state, list(titles), [*first]
    allow(key, names, _names(titles), most)
    if key not in state or is_step_in_history():
        texts = st.query_params.get_all(key)
        asked = [text for text in dict.fromkeys(texts) if text in titles][:most]
        is_empty = not any(texts) and bool(texts)
        state[key] = asked if asked or is_empty else first
    elif not set(state[key]) <= set(names):
        state[key] = [name for name in state[key] if name in titles] or first
    chosen = st.multiselect(
        label, names, key=key, max_selections=most, format_func=_title_in(titles), **options
    )
    chosen = [name for name in chosen if name in titles]  # a forged request may have any
    write_value(key, None if chosen == first else chosen or [""])
    return chosen


def _title_in(titles: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: titles.get(name, str(name))


def _names(titles: Mapping[str, str]) -> dict[str, str]:
    """The names by their titles, which an address may have, too."""
    return {title: name for name, title in titles.items()}
