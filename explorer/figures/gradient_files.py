"""The gradients of several classifiers as files: figures, a table, exact values and the recipe."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from explorer.experiments.features.gradients import (
    LOSS,
    PERCENTILE,
    ClassifierGradients,
    GradientSettings,
    channel_sum,
    gradients_by_kind,
    neighbour_correlation,
    scale_of,
)
from explorer.figures.captions import percent
from explorer.figures.comparison_files import FORMATS, model_file_names
from explorer.figures.export import figure_bytes
from explorer.figures.feature_rows import gradient_row
from explorer.figures.print_tile_rows import tile_rows_figure

_COLUMNS = (
    *("classifier", "class_index", "class_name", "class_probability", "predicted_name", "map"),
    *("l2_norm_per_pixel_unit", "scale_channels_added", "scale_each_channel"),
    "neighbour_correlation",
)


def gradient_files(
    answers: Sequence[ClassifierGradients], settings: GradientSettings, recipe: str
) -> dict[str, bytes]:
    """The figure in three formats, the table, each gradient as float32 [C, H, W], and the
    ``recipe``, by file name.
    """
    figure = gradients_figure(answers, settings)
    files = {f"gradients.{each}": figure_bytes(figure, each) for each in FORMATS}
    files["gradients.csv"] = gradients_csv(answers).encode()
    names = model_file_names([each.name for each in answers])
    for name, each in zip(names, answers, strict=True):
        for kind, gradient in gradients_by_kind(each).items():
            files[f"{kind}-{name}.npy"] = _npy(gradient)
    files["recipe.json"] = recipe.encode()
    return files


def gradients_figure(answers: Sequence[ClassifierGradients], settings: GradientSettings) -> Figure:
    """A row of pictures for each classifier, and what they show."""
    return tile_rows_figure(list(map(gradient_row, answers)), gradients_caption(settings))


def gradients_caption(settings: GradientSettings) -> str:
    """What was computed and how it is coloured, in one paragraph."""
    of = "the cross-entropy of the class" if settings.of == LOSS else "the logit of the class"
    smooth = (
        f" SmoothGrad: mean over {settings.copies} copies with Gaussian noise of "
        f"{percent(settings.spread)} of the picture's range, seed {settings.seed}."
        if settings.copies
        else ""
    )
    return (
        f"Gradient of {of} for the pixels of [0, 1].{smooth} Full colour is the {PERCENTILE}th "
        "percentile of the map's own absolute values. Channels added: green raises, purple lowers, "
        "white is 0. Each channel: middle grey is 0."
    )


def gradients_csv(answers: Sequence[ClassifierGradients]) -> str:
    """A row for each map: its class, its length and its scales, as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for each in answers:
        writer.writerows(map_values(each, kind) for kind in gradients_by_kind(each))
    return text.getvalue()


def map_values(each: ClassifierGradients, kind: str) -> dict[str, Any]:
    """The measured values of one map of a classifier, as the table has them."""
    gradient = gradients_by_kind(each)[kind]
    return {
        "classifier": each.name,
        "class_index": each.label,
        "class_name": each.label_name,
        "class_probability": float(each.prediction.probabilities[each.label]),
        "predicted_name": each.prediction.name,
        "map": kind,
        "l2_norm_per_pixel_unit": float(gradient.double().norm()),
        "scale_channels_added": scale_of(channel_sum(gradient)),
        "scale_each_channel": scale_of(gradient),
        "neighbour_correlation": neighbour_correlation(gradient),
    }


def _npy(values: Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values.numpy(), allow_pickle=False)
    return buffer.getvalue()
