"""An answer on the page: its chart, pictures, table and caveats."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.image_set import PREDICTED
from explorer.experiments.sweep.question import Answer
from explorer.figures.captions import confidence_text, percent
from explorer.images.distances import perturbation_image
from explorer.images.geometry import to_uint8
from explorer.ui.components.images import PIXELATED_BELOW
from explorer.ui.components.markdown import plain, sentence, unbroken, words
from explorer.ui.components.plot import draw_plot
from explorer.ui.curves.published import published_transfer
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.imports import wait_for_imports

TILE = 112  # pixels


def draw_result(answer: Answer, key: str) -> None:
    """Draw all that there is of the answer. ``key`` is the chart's."""
    draw_chart(answer, key)
    glossary_words(_words(answer), "curves")
    for caveat in answer.caveats:
        reference = f"[{plain(caveat.reference.title)}]({caveat.reference.url})"
        st.warning(f"{sentence(caveat.sentence)} {reference}", icon=":material/warning:")
    if answer.smallest:
        _pictures(answer)
    with st.expander("Table"):
        st.dataframe(_table(answer), hide_index=True, key=f"{key} table")
    if answer.cells:
        published_transfer()


def _words(answer: Answer) -> tuple[str, ...]:
    """The words of the chart that the glossary explains."""
    norm = answer.question.attack.norm
    if answer.curves:
        return "robust_accuracy", "epsilon", norm, "pgd", "wilson"
    if answer.smallest:
        return "epsilon", norm, "pgd"
    return "transfer", "epsilon", norm, "wilson"


def draw_chart(answer: Answer, key: str) -> None:
    """The plotly chart alone, and one line that says what it shows."""
    wait_for_imports("charts")
    from explorer.figures.accuracy_curves import accuracy_chart
    from explorer.figures.set_captions import attack_line
    from explorer.figures.set_files import series_of
    from explorer.figures.smallest_histogram import smallest_chart
    from explorer.figures.transfer_chart import transfer_chart

    series, norm = series_of(answer), answer.question.attack.norm
    if answer.curves:
        chart = accuracy_chart(answer.curves, series, norm)
        words = (
            "How many of the pictures each classifier still gets right when each value of a "
            "picture may change by up to ε"
            if norm == "linf"
            else "How many of the pictures each classifier still gets right when the change of a "
            "picture may be up to ε long"
        )
        words += (
            ". The bands are 95 % Wilson intervals. Dotted lines: the mean confidence in the "
            "right class."
        )
    elif answer.smallest:
        chart = smallest_chart(answer.smallest, series, norm)
        words = (
            "For each picture the smallest ε at which an attack succeeded. It is an upper bound: "
            "a picture that near fools the classifier, and a nearer one may exist."
        )
    else:
        chart = transfer_chart(answer.cells, series)
        words = (
            "Pictures that were made to fool the classifier of the row, shown to that of the "
            "column: the share that fools it, of those that both get right without an attack."
        )
    if any(PREDICTED in images.data.notes for images in answer.question.images):
        words += f" {sentence(PREDICTED)}"
    draw_plot(chart, key=key, alt=words)
    st.caption(unbroken(f"{words} {plain(attack_line(answer.question.recipe, _count(answer)))}."))


def _count(answer: Answer) -> int:
    rows = next(iter(answer.curves.values()), [])
    return rows[0].n if rows else len(answer.question.images[0])


def _pictures(answer: Answer) -> None:
    """For each classifier some pictures: the original, what changes, and the adversarial one."""
    from explorer.figures.set_captions import short_epsilon
    from explorer.figures.smallest_pictures import spread_pictures

    question = answer.question
    for index, result in enumerate(answer.smallest.values()):
        pictures = spread_pictures(question.images[index].data, result)
        if not pictures:
            continue
        st.markdown(
            f"**{plain(question.classifiers[index].title)}**: original, magnified change, "
            "adversarial picture"
        )
        norm = question.attack.norm
        captions = [
            plain(f"{each.before} → {each.after}, ε = {short_epsilon(each.epsilon, norm)}")
            if each.epsilon is not None
            else plain(f"{each.before}: no attack succeeded")
            for each in pictures
        ]
        columns = [
            np.concatenate(
                [
                    _tile(each.original),
                    _tile(perturbation_image(each.adversarial - each.original)),
                    _tile(each.adversarial),
                ]
            )
            for each in pictures
        ]
        alt = [words(text) for text in captions]
        st.image(columns, caption=captions, width=TILE, output_format="PNG", alt=alt)


def _tile(picture: object) -> np.ndarray:
    """uint8 [TILE, TILE, 3] of a tensor [C, H, W]; a small one is shown as squares."""
    image = Image.fromarray(to_uint8(picture))  # type: ignore[arg-type]
    is_small = max(image.size) < PIXELATED_BELOW
    sampling = Image.Resampling.NEAREST if is_small else Image.Resampling.LANCZOS
    return np.asarray(image.resize((TILE, TILE), sampling))


def _table(answer: Answer) -> list[dict[str, str]]:
    """The rows as a person reads them; the exported table has all digits."""
    question = answer.question
    norm = question.attack.norm
    titles = {
        name: each.title for name, each in zip(question.names, question.classifiers, strict=True)
    }
    if answer.curves:
        return [
            {
                "classifier": titles[name],
                "ε": format_epsilon(row.epsilon, norm),
                "pictures": f"{row.n:,}",
                "still right": percent(row.accuracy),
                "95 % interval": f"{percent(row.low)} to {percent(row.high)}",
                "mean confidence in the label": confidence_text(row.confidence),
            }
            for name, rows in answer.curves.items()
            for row in rows
        ]
    if answer.smallest:
        return [
            {
                "classifier": titles[name],
                "picture": str(key),
                "smallest ε": "none" if epsilon is None else format_epsilon(epsilon, norm),
            }
            for name, images in zip(question.names, question.images, strict=True)
            if name in answer.smallest
            for key, epsilon in zip(images.keys, answer.smallest[name].values, strict=False)
        ]
    return [
        {
            "made to fool": titles[question.names[cell.row]],
            "shown to": titles[question.names[cell.column]],
            "pictures": f"{cell.n:,}",
            "fooled": "–" if cell.rate is None else percent(cell.rate),
            "95 % interval": f"{percent(cell.low)} to {percent(cell.high)}",
        }
        for cell in answer.cells
    ]
