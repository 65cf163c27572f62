"""Widgets of the attack page whose values are in the page's address."""

from __future__ import annotations

from collections import Counter
from typing import Final

import streamlit as st

BIND: Final = "query-params"


def choose_one(label: str, options: list[str], key: str, help_: str) -> str:
    """One of ``options``, the first at the start, as a row of buttons."""
    return str(
        st.segmented_control(
            label, options, default=options[0], required=True, key=key, bind=BIND, help=help_
        )
    )


def class_options(labels: tuple[str, ...]) -> list[str]:
    """The class names, made unique: ImageNet's two cranes get their class index in addition."""
    counts = Counter(labels)
    return [
        label if counts[label] == 1 else f"{label} ({index})" for index, label in enumerate(labels)
    ]


def class_index(options: list[str], option: str | None) -> int | None:
    """The class of an option, or None if there is no such option."""
    return options.index(option) if option in options else None
