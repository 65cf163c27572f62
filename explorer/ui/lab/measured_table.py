"""The shares of a result as a table, and one that was measured beforehand below the live one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.classifiers import Entry
from explorer.experiments.measured import DISPUTE_TRAINING, measured
from explorer.figures.captions import percent
from explorer.ui.shared.classifiers import entries


def measured_table(name: str, kind: str, titles: dict[str, str]) -> None:
    """Draw the result called ``name``; ``kind`` is the column that the ``titles`` explain."""
    result = measured(name)
    if result is None:
        return
    with st.expander("Measured beforehand on photographs of CIFAR-10", icon=":material/science:"):
        share_table(result.rows, kind, titles, f"lab measured {name}")
        st.caption(
            "These images do not come with the explorer. They are from the training file, and no "
            "bundled classifier was trained on them. The command was:"
        )
        st.code(_command(result.command), language="bash", wrap_lines=True)


def share_table(
    rows: Sequence[Mapping[str, Any]], kind: str, titles: Mapping[str, str], key: str
) -> None:
    """Draw ``rows`` of shares as people read them; ``kind`` is the column that the ``titles``
    explain.
    """
    known = entries()
    shown = [_row(row, kind, titles, known) for row in rows]
    st.dataframe(shown, hide_index=True, key=key)


def training_table(titles: dict[str, str]) -> None:
    """Draw what networks learned from each of the attacks, whose names the ``titles`` explain."""
    result = measured(DISPUTE_TRAINING)
    if result is None:
        return
    with st.expander("Trained on each attack, beforehand", icon=":material/model_training:"):
        st.caption(
            "A small network for each of three sets, made of the same photographs of CIFAR-10 "
            "under the label of the next class, and then shown unchanged test images."
        )
        rows = [
            {
                "trained on": titles[row["attack"]],
                "images": f"{row['trained']:,}",
                "says": "the image's class" if row["label"] == "own" else "the class after it",
                "of test images": f"{row['count']:,} of {row['n']:,}",
                "share": percent(row["rate"]),
                "95 % interval": f"{percent(row['low'])} to {percent(row['high'])}",
            }
            for row in result.rows
        ]
        st.dataframe(rows, hide_index=True, key="lab trained table")
        st.code(_command(result.command), language="bash", wrap_lines=True)


def _command(measured: str) -> str:
    """The command of a measurement, without the folder in which its data were."""
    return re.sub(r"(--\S*data) \S*/", r"\1 ", measured)


def _row(
    row: Mapping[str, Any], kind: str, titles: Mapping[str, str], known: Mapping[str, Entry]
) -> dict[str, str]:
    rate = "–" if row["rate"] is None else percent(row["rate"])
    name = row["model"]
    return {
        "what": titles[row[kind]],
        "classifier": known[name].title if name in known else name,
        "fooled": f"{row['fooled']:,} of {row['n']:,}",
        "share": rate,
        "95 % interval": f"{percent(row['low'])} to {percent(row['high'])}",
    }
