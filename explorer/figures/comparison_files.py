"""A comparison of classifiers as files: figures, a table, and each picture with its recipe."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence

from explorer.experiments.compare import ComparedClassifier, Comparison
from explorer.experiments.one_image.report import Prediction
from explorer.figures.export import adversarial_npy, adversarial_png, figure_bytes, recipe_json
from explorer.figures.print_comparison import comparison_figure
from explorer.images.geometry import to_png

FORMATS = ("png", "pdf", "svg")
_COLUMNS = (
    *("classifier", "picture", "made_on", "predicted_name", "predicted_probability"),
    *("label_name", "label_probability", "outcome", "linf_pixel_units", "l2_pixel_units"),
    *("noise_draws", "noise_successes", "note"),
)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP file can have: the same bytes each time


def comparison_files(comparison: Comparison) -> dict[str, bytes]:
    """The figure in three formats, the table, and for each classifier its adversarial picture, the
    noise and the recipe, by file name.
    """
    figure = comparison_figure(comparison)
    files = {f"comparison.{each}": figure_bytes(figure, each) for each in FORMATS}
    files["comparison.csv"] = comparison_csv(comparison).encode()
    names = model_file_names([each.name for each in comparison.classifiers])
    for name, each in zip(names, comparison.classifiers, strict=True):
        files[f"adversarial-{name}.png"] = adversarial_png(each.report)
        files[f"adversarial-{name}.npy"] = adversarial_npy(each.report)
        files[f"noise-{name}.png"] = to_png(each.noise.image)
        files[f"recipe-{name}.json"] = recipe_json(each.report)
    return files


def zipped(files: dict[str, bytes]) -> bytes:
    """The files in one ZIP file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def comparison_csv(comparison: Comparison) -> str:
    """What each classifier says of each picture, as CSV with a header.

    The picture is "original", "adversarial" (made on the classifier in ``made_on``), "noise" (the
    first draw), or "original of another" with which an adversarial picture of another size is to
    be compared. Distances are those of the picture from the original that it was made of.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for each in comparison.classifiers:
        writer.writerow({**_answer(each, "original", each.report.before), "made_on": ""})
        writer.writerows(_transfers(comparison, each))
        writer.writerow(_noise(each))
    return text.getvalue()


def _transfers(comparison: Comparison, each: ComparedClassifier) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for made_on in comparison.classifiers:
        transfer = comparison.transfer(made_on.name, each.name)
        common: dict[str, object] = {"made_on": made_on.name, "note": transfer.note}
        if transfer.answer is None:
            rows.append({"classifier": each.name, "picture": "adversarial", **common})
            continue
        if transfer.note:
            rows.append(_answer(each, "original of another", transfer.answer.before) | common)
        distances = {
            "outcome": transfer.answer.outcome,
            "linf_pixel_units": _number(made_on.report.linf),
            "l2_pixel_units": _number(made_on.report.l2),
        }
        rows.append(_answer(each, "adversarial", transfer.answer.after) | common | distances)
    return rows


def _noise(each: ComparedClassifier) -> dict[str, object]:
    noise = each.noise
    return _answer(each, "noise", noise.prediction) | {
        "outcome": noise.outcome,
        "linf_pixel_units": _number(noise.linf),
        "l2_pixel_units": _number(noise.l2),
        "noise_draws": noise.draws,
        "noise_successes": noise.successes,
    }


def _answer(each: ComparedClassifier, picture: str, prediction: Prediction) -> dict[str, object]:
    label = each.report.label
    return {
        "classifier": each.name,
        "picture": picture,
        "predicted_name": prediction.name,
        "predicted_probability": _number(prediction.confidence),
        "label_name": each.report.names[label],
        "label_probability": _number(float(prediction.probabilities[label])),
    }


def _number(value: float) -> str:
    """Nine digits, with which a float32 is read back exactly."""
    return f"{value:.9g}"


def model_file_names(models: Sequence[str]) -> list[str]:
    """A name for each classifier that every system takes, all of them different."""
    names: list[str] = []
    for model in models:
        name = re.sub(r"[^A-Za-z0-9_]+", "-", model).strip("-").lower()[:60]
        name = name or "classifier"
        names.append(f"{name}-{len(names) + 1}" if name in names else name)
    return names
