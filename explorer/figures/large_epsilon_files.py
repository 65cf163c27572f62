"""Attacks with a large ε as files: figures, a table, and each picture with its recipe."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from explorer.experiments.features.large_epsilon import LargeEpsilon
from explorer.experiments.one_image.report import Prediction
from explorer.figures.captions import attack_caption
from explorer.figures.comparison_files import FORMATS, model_file_names
from explorer.figures.export import adversarial_npy, adversarial_png, figure_bytes, recipe_json
from explorer.figures.feature_rows import large_epsilon_row
from explorer.figures.print_tile_rows import tile_rows_figure

NAME = "large-epsilon"
_COLUMNS = (
    *("made_on", "epsilon", "shown_to", "target_name", "predicted_name", "predicted_probability"),
    *("outcome", "l2_pixel_units", "note"),
)


def large_epsilon_files(answers: Sequence[LargeEpsilon]) -> dict[str, bytes]:
    """The figure in three formats, the table, and each picture with its recipe, by file name."""
    titles = {each.name: each.title for each in answers}
    first = answers[0]
    caption = attack_caption(first.reports[-1].recipe, first.target_name)
    rows = [large_epsilon_row(each, titles) for each in answers]
    figure = tile_rows_figure(rows, f"{caption}, in equal steps; the same with parts of ε.")
    files = {f"{NAME}.{each}": figure_bytes(figure, each) for each in FORMATS}
    files[f"{NAME}.csv"] = large_epsilon_csv(answers).encode()
    names = model_file_names([each.name for each in answers])
    for name, each in zip(names, answers, strict=True):
        for report in each.reports:
            stem = f"{name}-l2-{report.recipe.epsilon:g}"
            files[f"adversarial-{stem}.png"] = adversarial_png(report)
            files[f"adversarial-{stem}.npy"] = adversarial_npy(report)
            files[f"recipe-{stem}.json"] = recipe_json(report)
    return files


def large_epsilon_csv(answers: Sequence[LargeEpsilon]) -> str:
    """A row for each picture and each classifier that it was shown to, as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(large_epsilon_rows(answers))
    return text.getvalue()


def large_epsilon_rows(answers: Sequence[LargeEpsilon]) -> list[dict[str, object]]:
    """The answers as a table. A classifier that has no such class has a note and no answer."""
    rows: list[dict[str, object]] = []
    for each in answers:
        for report in each.reports:
            common: dict[str, object] = {
                "made_on": each.name,
                "epsilon": report.recipe.epsilon,
                "target_name": each.target_name,
                "l2_pixel_units": report.l2,
            }
            own = {"shown_to": each.name, "outcome": report.outcome}
            rows.append(common | own | _said(report.after))
        for transfer in each.seen_by:
            answer = transfer.answer
            said = {} if answer is None else _said(answer.after) | {"outcome": answer.outcome}
            rows.append(common | {"shown_to": transfer.shown_to, "note": transfer.note} | said)
    return rows


def _said(prediction: Prediction) -> dict[str, object]:
    return {
        "predicted_name": prediction.name,
        "predicted_probability": prediction.confidence,
    }
