"""The row of five sets and a part of a set as CSV, the same bytes each time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from torch import Tensor

from explorer.datasets.constructed.read import ConstructedSet
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult, SetImage
from explorer.figures.set_words import head, looks_like
from explorer.images.distances import l2, linf

_ROW = (
    *("set", "label_name", "made_to_look_like", "start", "reached"),
    *("l2_from_source_pixel_units", "linf_from_source_pixel_units", "l2_from_start_pixel_units"),
    *("classifier", "makes_images", "predicted_name", "predicted_probability"),
    "label_probability",
)


def five_sets_csv(row: FiveSetsResult) -> str:
    """A line for each image and classifier, with what the classifier says of the image.

    ``reached`` says that the classifier with which the image was made gave its label before the
    image was rounded; distances are in pixels of [0, 1]. Cells that do not apply are empty.
    """
    return _csv(_ROW, (line for image in row.images for line in _image_lines(row, image)))


def _image_lines(row: FiveSetsResult, image: SetImage) -> Iterable[dict[str, object]]:
    about: dict[str, object] = {
        "set": head(image).short,
        "label_name": row.names[image.label],
        "made_to_look_like": looks_like(image, row.names),
        "start": "",
    }
    if image.start is not None:
        start = row.names[image.start_label] if image.start_label is not None else "unknown"
        about |= {
            "start": "noise" if image.from_noise else start,
            "reached": str(image.reached).lower(),
            "l2_from_source_pixel_units": _number(l2(row.source.image, image.image)),
            "linf_from_source_pixel_units": _number(linf(row.source.image, image.image)),
            "l2_from_start_pixel_units": _number(l2(image.start, image.image)),
        }
    for model, prediction in zip(row.models, image.predictions, strict=True):
        yield about | {
            "classifier": model.name,
            "makes_images": str(model.in_pair).lower(),
            "predicted_name": prediction.name,
            "predicted_probability": _number(prediction.confidence),
            "label_probability": _number(float(prediction.probabilities[image.label])),
        }


_SET = (
    *("index", "label", "label_name", "source_index", "source_label", "start_index", "target"),
    *("predicted", "standard_label_probability", "robust_label_probability"),
)


def set_csv(
    images: ConstructedSet, indices: Sequence[int], names: Sequence[str], confidence: Tensor | None
) -> str:
    """A line for each image of the set at ``indices``, in their order.

    ``confidence`` float32 [2, N] is that of the standard and the robust classifier in each label.
    """
    return _csv(_SET, (_set_line(images, index, names, confidence) for index in indices))


def _set_line(
    images: ConstructedSet, index: int, names: Sequence[str], confidence: Tensor | None
) -> dict[str, object]:
    label = int(images.data.labels[index])
    line: dict[str, object] = {"index": index}
    if label >= 0:
        line |= {"label": label, "label_name": names[label] if label < len(names) else ""}
    for name in ("source_index", "source_label", "start_index", "target", "predicted"):
        column: Tensor | None = getattr(images, name)
        if column is not None and column[index] >= 0:
            line[name] = int(column[index])
    if confidence is not None and label >= 0:
        for name, value in zip(("standard", "robust"), confidence[:2, index].tolist(), strict=True):
            line[f"{name}_label_probability"] = _number(value)
    return line


def _csv(columns: Sequence[str], lines: Iterable[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _number(value: float) -> str:
    """Nine digits, with which a float32 is read back exactly."""
    return f"{value:.9g}"
