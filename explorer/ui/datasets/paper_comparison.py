"""What training on each set shows: the paper's figures beside those of this project's own classifiers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.classifiers.catalogue import bundled
from explorer.classifiers.model_card import PGD, Accuracy
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.experiments.evaluation.auto_pgd import APGD, APGD_TEXT
from explorer.experiments.ilyas2019.paper_comparison import (
    EPSILONS,
    ComparisonRow,
    Gain,
    gains,
    paper_comparison,
    rank_agreement,
    trained_on,
)
from explorer.figures.captions import percent
from explorer.figures.paper_comparison import NAMES, paper_comparison_chart
from explorer.ui.datasets.words import SETS


def paper_comparison_table() -> None:
    """Draw the figure, the verdict on the paper's order, and every figure with its interval."""
    rows = paper_comparison(bundled())
    missing = [row.title for row in rows if row.card is None]
    if len(missing) == len(rows):
        st.info(
            "No classifier trained on the sets is here: python -m explorer train cifar10-d_r --data FOLDER makes one."
        )
        return
    st.markdown(
        "Each classifier was trained in the ordinary way on one set and is measured on *original* images. In the paper training on "
        "D_R passes robustness on, and training on D_NR, D_rand and D_det passes on accuracy alone. Below is what came out here."
    )
    st.plotly_chart(
        paper_comparison_chart(rows),
        key="claim",
        alt="accuracy of classifiers trained on each set, beside the paper's",
    )
    st.markdown("\n".join(f"- {order_sentence(rows, epsilon)}" for epsilon in EPSILONS))
    found = gains(rows)
    if found:
        st.markdown(
            "What training on D_R gains over training in the same way on as many images of D, by this project's attack and by a stronger "
            "one. Shifted and mirrored images (augmentation) by themselves make the one trained on D less brittle:"
        )
        st.markdown("\n".join(f"- {gain_sentence(gain)}" for gain in found))
    st.caption(conditions(rows))
    if missing:
        st.caption(f"Not here: {', '.join(missing)}.")
    with st.expander("Every figure, with its interval"):
        st.table([_cells(row) for row in rows])
        st.caption(
            f"{PGD}: our own, 20 steps from a random start. {APGD}: {APGD_TEXT}, 20 steps each. Paper: ResNet-50 on all of CIFAR-10, "
            "tables 7 and 1 of arXiv 1905.02175, from images, not noise. Brackets: 95 % Wilson intervals."
        )


def order_sentence(rows: tuple[ComparisonRow, ...], epsilon: float) -> str:
    """Whether the paper's order came out at ``epsilon``, naming every pair that did not."""
    found = rank_agreement(rows, epsilon)
    total = len(found.agree) + len(found.undecided) + len(found.against)
    where = "On clean images" if epsilon == 0 else f"At {NAMES[epsilon]}"
    if not total:
        return f"**{where}** there is nothing to compare."
    if len(found.agree) == total:
        return f"**{where}** the paper's order comes out in all {total} pairs."
    parts = [f"**{where}** the paper's order comes out in {len(found.agree)} of {total} pairs"]
    if found.undecided:
        parts.append(f"the intervals overlap for {_pairs(found.undecided)}")
    if found.against:
        parts.append(f"it is the other way round for {_pairs(found.against)}")
    return "; ".join(parts) + "."


def _pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{better} over {worse}" for better, worse in pairs)


def gain_sentence(gain: Gain) -> str:
    """What D_R gained over D, by one attack at one ε."""
    times = (
        "where D keeps none"
        if gain.ratio is None
        else f"{gain.ratio:.1f} times D's {percent(gain.standard.accuracy)}"
    )
    how = "With" if gain.augmented else "Without"
    return f"{how} augmentation, under {gain.attack} at {NAMES[gain.epsilon]}: D_R keeps {percent(gain.robust.accuracy)}, {times}."


def conditions(rows: tuple[ComparisonRow, ...]) -> str:
    """How ours differ from the paper's, by the cards."""
    counts = {
        row.title: n
        for row in rows
        if row.card is not None and (n := trained_on(row.card)) is not None
    }
    made = {
        row.title: row.card.recipe["set"]["construction"]
        for row in rows
        if row.card is not None and "set" in row.card.recipe
    }
    parameters = max((row.card.parameters for row in rows if row.card is not None), default=0)
    theirs = ", ".join(f"{SETS[name].short} {each.steps}" for name, each in CONSTRUCTIONS.items())
    trained = ", ".join(f"{title} {n:,}" for title, n in counts.items())
    built = ", ".join(f"{title} {_steps(construction)}" for title, construction in made.items())
    return (
        f"Not the paper's conditions: a network of {parameters / 1e6:.1f} million parameters in place of a ResNet-50, images that were "
        "JPEG-compressed, "
        f"fewer images ({trained}; the adversarially trained classifier saw the whole training file) and fewer steps ({built}; "
        f"the paper's are {theirs}). Where the order does not come out, these are the likely "
        "reasons; which of them counts was not measured."
    )


def _steps(construction: dict[str, Any]) -> str:
    last = construction.get("last_step_size")
    shrinking = (
        "" if last is None else f" that shrink from {construction['step_size']:g} to {last:g}"
    )
    return f"{construction['steps']}{shrinking}"


def _cells(row: ComparisonRow) -> dict[str, str]:
    cells = {"trained on": row.title}
    for column, epsilon in enumerate(EPSILONS):
        published = row.published.values[column]
        cells[f"{NAMES[epsilon]}, here"] = _figure(row.accuracy(epsilon))
        if epsilon:
            cells[f"{NAMES[epsilon]}, {APGD}"] = _figure(row.accuracy(epsilon, APGD))
        cells[f"{NAMES[epsilon]}, paper"] = "" if published is None else percent(published)
    return cells


def _figure(found: Accuracy | None) -> str:
    return (
        ""
        if found is None
        else f"{percent(found.accuracy)} ({100 * found.low:.1f} to {100 * found.high:.1f}; n = {found.n})"
    )
