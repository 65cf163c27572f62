"""Figure 3 of Ilyas et al. (2019) below the transfer matrix."""

from __future__ import annotations

import streamlit as st

from explorer.experiments.ilyas2019.published_transfer import FIGURE_3
from explorer.figures.captions import percent


def published_transfer() -> None:
    """The paper's table, and what in it differs from the matrix above."""
    st.header("Beside the paper")
    st.markdown(
        "Figure 3 of Ilyas et al. (2019, “Adversarial Examples Are Not Bugs, They Are Features”) "
        "has adversarial pictures that were made to fool a ResNet-50. The better an architecture "
        "learns from that network's non-robust features (the accuracy after training on D_det), "
        "the more of the pictures fool it: networks that rely on the same features share their "
        "adversarial examples."
    )
    st.dataframe(
        [
            {
                "architecture": each.architecture,
                "accuracy after training on D_det": percent(each.accuracy),
                "attacks on ResNet-50 that transfer to it": percent(each.transfer),
            }
            for each in FIGURE_3
        ],
        hide_index=True,
        key="curves published",
    )
    st.caption(
        "Read off the figure's pixels, ±0.5 percentage points. There the architectures differ and "
        "the training is one; in the matrix above the bundled classifiers of one data set "
        "have one architecture and differ in their training, so that no number has a counterpart. "
        "What can be compared is the pattern: between classifiers that rely on the same features, "
        "attacks transfer."
    )
