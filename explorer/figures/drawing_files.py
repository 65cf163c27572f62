"""Pictures that classifiers drew as files: figures, tables, each picture, and the recipe."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from explorer.experiments.features.inversion import Inversion, InversionSettings
from explorer.experiments.features.painting import Painting, PaintingSettings
from explorer.experiments.features.synthesis import Synthesis, SynthesisSettings
from explorer.figures.comparison_files import FORMATS, model_file_names
from explorer.figures.drawing_rows import inversion_row, painting_row, synthesis_rows
from explorer.figures.export import figure_bytes
from explorer.figures.print_tile_rows import tile_rows_figure
from explorer.figures.tile_rows import TileRow
from explorer.images.geometry import to_png

SYNTHESIS, INVERSION, PAINTING = "synthesis", "inversion", "painting"
MOST_COLUMNS, FEWER_COLUMNS = 10, 6  # pictures in a printed row: of few classes, and of many
STARTS = {
    "noise": "uniform noise",
    "grey": "faint noise on grey",
    "data": "a Gaussian fitted on pictures of the class",
}


def synthesis_files(
    synthesis: Synthesis,
    settings: SynthesisSettings,
    judge: str,
    recipe: str,
) -> dict[str, bytes]:
    """The figure with the verdicts of ``judge``, the table, each picture, and the recipe."""
    epsilons = ", ".join(dict.fromkeys(f"{each.epsilon:g}" for each in synthesis.drawings))
    caption = (
        f"From {STARTS[settings.start]}, L2 ε = {epsilons}, {settings.steps} steps, seed "
        f"{settings.seed}. Below each picture: what {judge} says. 95 % Wilson intervals."
    )
    classes = len(set(synthesis.drawings[0].targets))
    columns = MOST_COLUMNS if classes <= MOST_COLUMNS else FEWER_COLUMNS
    rows = synthesis_rows(synthesis, judge, judge, columns)
    files = _figures(SYNTHESIS, rows, caption)
    files[f"{SYNTHESIS}.csv"] = synthesis_csv(synthesis).encode()
    names = model_file_names([each.name for each in synthesis.drawings])
    for name, each in zip(names, synthesis.drawings, strict=True):
        for index, (target, image) in enumerate(zip(each.targets, each.images, strict=True)):
            files[f"{name}-{index:03d}-class-{target}.png"] = to_png(image)
    return files | {"recipe.json": recipe.encode()}


def synthesis_csv(synthesis: Synthesis) -> str:
    """A row for each picture and each judge, as CSV with a header."""
    columns = ("drawn_by", "picture", "class_name", "l2_pixel_units", "epsilon", "judge")
    rows: list[dict[str, object]] = []
    for drawing in synthesis.drawings:
        for index, target in enumerate(drawing.targets):
            common = {
                "drawn_by": drawing.name,
                "picture": index,
                "class_name": drawing.names[target],
                "l2_pixel_units": drawing.lengths[index],
                "epsilon": drawing.epsilon,
            }
            for judge in synthesis.judges:
                answer = synthesis.recognition(drawing.name, judge)
                if answer is not None:
                    said = answer.answers[index]
                    verdict = {
                        "judge": judge,
                        "predicted_name": said.name,
                        "predicted_probability": said.confidence,
                        "recognised": int(answer.recognised[index]),
                    }
                    rows.append(common | verdict)
    return _csv((*columns, "predicted_name", "predicted_probability", "recognised"), rows)


def inversion_files(
    answers: Sequence[Inversion], settings: InversionSettings, recipe: str
) -> dict[str, bytes]:
    """The figure, the table of distances by step, each picture, and the recipe."""
    caption = f"From {STARTS[settings.start]}, {settings.steps} steps, seed {settings.seed}."
    files = _figures(INVERSION, list(map(inversion_row, answers)), caption)
    rows = [
        {"classifier": each.name, "step": step, "relative_feature_distance": distance}
        for each in answers
        for step, distance in enumerate(each.distances)
    ]
    columns = ("classifier", "step", "relative_feature_distance")
    files[f"{INVERSION}.csv"] = _csv(columns, rows).encode()
    names = model_file_names([each.name for each in answers])
    files |= {
        f"inverted-{name}.png": to_png(each.image)
        for name, each in zip(names, answers, strict=True)
    }
    return files | {"recipe.json": recipe.encode()}


def painting_files(
    answers: Sequence[Painting], settings: PaintingSettings, recipe: str
) -> dict[str, bytes]:
    """The figure, the table, each picture and its mask, and the recipe."""
    caption = f"Targeted ascent in the marked part, {settings.steps} steps."
    files = _figures(PAINTING, list(map(painting_row, answers)), caption)
    rows = [
        {
            "classifier": each.name,
            "target_name": each.before.names[each.target],
            "painted_share": each.share,
            "l2_pixel_units": each.length,
            "epsilon": each.epsilon,
            "predicted_before": each.before.name,
            "predicted_name": each.after.name,
            "predicted_probability": each.after.confidence,
        }
        for each in answers
    ]
    files[f"{PAINTING}.csv"] = _csv(tuple(rows[0]), rows).encode()
    names = model_file_names([each.name for each in answers])
    for name, each in zip(names, answers, strict=True):
        files[f"painted-{name}.png"] = to_png(each.image)
        files[f"mask-{name}.png"] = to_png(each.mask[None])
    return files | {"recipe.json": recipe.encode()}


def _figures(name: str, rows: Sequence[TileRow], caption: str) -> dict[str, bytes]:
    figure = tile_rows_figure(rows, caption)
    return {f"{name}.{each}": figure_bytes(figure, each) for each in FORMATS}


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
