"""A result that was measured beforehand, below the live one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.experiments.measured import measured
from explorer.figures.captions import percent


def measured_table(name: str, kind: str, titles: dict[str, str]) -> None:
    """Draw the result called ``name``; ``kind`` is the column that the ``titles`` explain."""
    result = measured(name)
    if result is None:
        return
    with st.expander("Measured beforehand on photographs of CIFAR-10", icon=":material/science:"):
        rows = [_row(row, kind, titles) for row in result.rows]
        st.dataframe(rows, hide_index=True, key=f"lab measured {name}")
        st.caption(
            "These images do not come with the explorer. They are from the training file, and no "
            "bundled classifier was trained on them. The command was:"
        )
        st.code(result.command, language="bash", wrap_lines=True)


def _row(row: dict[str, Any], kind: str, titles: dict[str, str]) -> dict[str, str]:
    rate = "–" if row["rate"] is None else percent(row["rate"])
    return {
        "what": titles[row[kind]],
        "classifier": row["model"],
        "fooled": f"{row['fooled']} of {row['n']}",
        "share": rate,
        "95 % interval": f"{percent(row['low'])} to {percent(row['high'])}",
    }
