"""What training on each set shows: the paper's accuracies beside those of our own classifiers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.model_card import PGD, Accuracy
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.experiments.evaluation.auto_pgd import APGD, APGD_TEXT
from explorer.experiments.evaluation.ratio import FEWEST
from explorer.experiments.ilyas2019.paper_comparison import (
    EPSILONS,
    ComparisonRow,
    Gain,
    gains,
    paper_comparison,
    rank_agreement,
    right_images,
    training_set_size,
)
from explorer.figures.captions import percent
from explorer.figures.paper_comparison import NAMES, paper_comparison_chart
from explorer.figures.set_words import SETS
from explorer.ui.components.markdown import unbroken
from explorer.ui.components.plot import draw_plot


def paper_comparison_table() -> None:
    """Draw the chart, how far the paper's order is confirmed, and all accuracies."""
    rows = paper_comparison(bundled_cards())
    missing = [row.title for row in rows if row.card is None]
    if len(missing) == len(rows):
        st.info(
            "No classifier trained on the sets is on this machine. Train one: "
            "python -m explorer train cifar10-d_r --data FOLDER"
        )
        return
    st.markdown(
        "Each classifier was trained in the ordinary way on one set and is measured on *original* "
        "images. In the paper, training on D_R passes on robustness; training on D_NR, D_rand and "
        "D_det passes on accuracy only. Our own results:"
    )
    draw_plot(
        paper_comparison_chart(rows),
        key="paper_comparison",
        alt="accuracy of classifiers trained on each set, beside the paper's",
    )
    sentences = [f"- {order_sentence(rows, epsilon)}" for epsilon in EPSILONS]
    st.markdown(unbroken("\n".join(sentences)))
    if comparisons := gains(rows):
        st.markdown(
            "What training on D_R gains over training in the same way on as many images of D, "
            "under this project's attack and under a stronger one. Training on shifted and "
            "mirrored images (augmentation) alone makes the classifier trained on D less brittle:"
        )
        st.markdown(unbroken("\n".join(f"- {gain_sentence(gain)}" for gain in comparisons)))
    st.caption(conditions(rows))
    if missing:
        st.caption(f"Not on this machine: {', '.join(missing)}.")
    with st.expander("Every accuracy with its interval"):
        st.caption("On a narrow screen the table moves sideways.")
        st.table([_cells(row) for row in rows])
        st.caption(
            f"{PGD}: our own, 20 steps from a random start. {APGD}: {APGD_TEXT}, 20 steps each. "
            "Paper: ResNet-50 on all of CIFAR-10, tables 7 and 1 of arXiv 1905.02175, from images, "
            "not noise. Brackets: 95 % Wilson intervals."
        )


def order_sentence(rows: tuple[ComparisonRow, ...], epsilon: float) -> str:
    """Whether the classifiers rank as in the paper at ``epsilon``; names the pairs that don't."""
    agreement = rank_agreement(rows, epsilon)
    agree = len(agreement.agree)
    total = agree + len(agreement.undecided) + len(agreement.against)
    where = "**On unchanged images**" if epsilon == 0 else f"**At {NAMES[epsilon]}**"
    if not total:
        return f"{where} there is nothing to compare."
    if agree == total:
        return f"{where} all {total} pairs rank as in the paper."
    parts = [f"{where} {agree} of {total} pairs rank as in the paper"]
    if agreement.undecided:
        names = _pairs(agreement.undecided)
        parts.append(f"{names} cannot be told apart (intervals overlap)")
    if agreement.against:
        parts.append(f"{_pairs(agreement.against)} are reversed")
    return "; ".join(parts) + "."


def _pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{better} and {worse}" for better, worse in pairs)


def gain_sentence(gain: Gain) -> str:
    """What classifiers trained on D_R and on D keep under one attack at one ε."""
    augmentation = "With" if gain.augmented else "Without"
    ratio = gain.ratio
    times = "too few images for a ratio"
    if ratio is not None:
        times = (
            f"{ratio.value:.1f} times as many (95 % interval {ratio.low:.1f} to {ratio.high:.1f})"
        )
    return (
        f"{augmentation} augmentation, under {gain.attack} at {NAMES[gain.epsilon]}: "
        f"D_R keeps {_share(gain.d_r)}, D {_share(gain.d)}: {times}."
    )


def _share(accuracy: Accuracy) -> str:
    correct = right_images(accuracy)
    if correct >= FEWEST:
        return percent(accuracy.accuracy)
    noun = "image" if correct == 1 else "images"
    return f"{percent(accuracy.accuracy)} ({correct} {noun} of {accuracy.n:,})"


def conditions(rows: tuple[ComparisonRow, ...]) -> str:
    """How our conditions differ from the paper's, according to the model cards."""
    cards = {row.title: row.card for row in rows if row.card is not None}
    parameters = max((card.parameters for card in cards.values()), default=0)
    images = ", ".join(
        f"{title} {count:,}"
        for title, card in cards.items()
        if (count := training_set_size(card)) is not None
    )
    steps = ", ".join(
        f"{title} {_steps(card.recipe['set']['construction'])}"
        for title, card in cards.items()
        if "set" in card.recipe
    )
    paper_steps = ", ".join(
        f"{SETS[name].short} {construction.steps:,}" for name, construction in CONSTRUCTIONS.items()
    )
    return (
        f"Not the paper's conditions: a network of {parameters / 1e6:.1f} million parameters in "
        "place of a ResNet-50, images that were JPEG-compressed, fewer images "
        f"({images}; the adversarially trained classifier saw the whole training file) and fewer "
        f"steps ({steps}; the paper's are {paper_steps}). These are the likely reasons for a "
        "different order; which of them counts was not measured."
    )


def _steps(construction: dict[str, Any]) -> str:
    last = construction.get("last_step_size")
    if last is None:
        return f"{construction['steps']:,}"
    first = construction["step_size"]
    return f"{construction['steps']:,} that shrink from {first:g} to {last:g}"


def _cells(row: ComparisonRow) -> dict[str, str]:
    cells = {"trained on": row.title}
    for column, epsilon in enumerate(EPSILONS):
        published = row.published.values[column]
        cells[f"{NAMES[epsilon]}, here"] = _with_interval(row.accuracy(epsilon))
        if epsilon:
            cells[f"{NAMES[epsilon]}, {APGD}"] = _with_interval(row.accuracy(epsilon, APGD))
        cells[f"{NAMES[epsilon]}, paper"] = "" if published is None else percent(published)
    return {unbroken(head): unbroken(cell) for head, cell in cells.items()}


def _with_interval(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return ""
    interval = f"{percent(accuracy.low)} to {percent(accuracy.high)}"
    return f"{percent(accuracy.accuracy)} ({interval}; n = {accuracy.n:,})"
