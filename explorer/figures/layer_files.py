"""The distances of activations as files: figures, a table, and each attack with its recipe."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from explorer.experiments.features.layers import PARTING, ClassifierLayers
from explorer.figures.captions import attack_caption
from explorer.figures.comparison_files import FORMATS, model_file_names
from explorer.figures.export import adversarial_npy, adversarial_png, figure_bytes, recipe_json
from explorer.figures.layer_charts import DISTANCE, layers_figure

_COLUMNS = (
    *("classifier", "layer_index", "layer", "adversarial_distance", "noise_mean_distance"),
    *("noise_least_distance", "noise_greatest_distance", "noise_draws", "paths_part_here"),
)


def layer_files(answers: Sequence[ClassifierLayers]) -> dict[str, bytes]:
    """The figure in three formats, the table, and for each classifier its adversarial picture and
    the attack's recipe, by file name.
    """
    figure = layers_figure(answers, layers_caption(answers))
    files = {f"layers.{each}": figure_bytes(figure, each) for each in FORMATS}
    files["layers.csv"] = layers_csv(answers).encode()
    names = model_file_names([each.name for each in answers])
    for name, each in zip(names, answers, strict=True):
        files[f"adversarial-{name}.png"] = adversarial_png(each.report)
        files[f"adversarial-{name}.npy"] = adversarial_npy(each.report)
        files[f"recipe-{name}.json"] = recipe_json(each.report)
    return files


def layers_caption(answers: Sequence[ClassifierLayers]) -> str:
    """The attack, the control, and when the paths are said to part."""
    first = answers[0]
    draws = len(first.layers[0].noise)
    return (
        f"{DISTANCE.capitalize()}, L2. {attack_caption(first.report.recipe, None)}; {draws} draws "
        "of Gaussian noise with the L2 norm of the attack (line: mean, band: range). Dotted: the "
        f"first layer from which on the attack is at least {PARTING:g} times as far as any draw."
    )


def layers_csv(answers: Sequence[ClassifierLayers]) -> str:
    """A row for each layer of each classifier, as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in layer_rows(answers):
        writer.writerow(row | {"paths_part_here": str(row["paths_part_here"]).lower()})
    return text.getvalue()


def layer_rows(answers: Sequence[ClassifierLayers]) -> list[dict[str, object]]:
    """The distances as a table: a row for each layer of each classifier."""
    return [
        {
            "classifier": each.name,
            "layer_index": index,
            "layer": layer.name,
            "adversarial_distance": layer.adversarial,
            "noise_mean_distance": layer.mean_noise,
            "noise_least_distance": min(layer.noise),
            "noise_greatest_distance": max(layer.noise),
            "noise_draws": len(layer.noise),
            "paths_part_here": layer is each.parting,
        }
        for each in answers
        for index, layer in enumerate(each.layers)
    ]
