"""Results as the bytes of files: figures, images and tables, the same bytes each time."""

from __future__ import annotations

import csv
import io
from threading import Lock

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from explorer.experiments.one_image.report import AttackReport
from explorer.figures.loss_words import LOSS_WORDS
from explorer.images.geometry import to_png

DPI = 300
# Text stays text in a PDF (type 42, which journals ask for) and in an SVG; the salt makes an SVG's
# identifiers the same each time.
_RC: dict[RcKeyType, object] = {
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "adversarial-explorer",
}
_NO_DATES: dict[str, dict[str, None]] = {
    "png": {},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
_rendering = Lock()


def figure_bytes(figure: Figure, format: str) -> bytes:
    """``figure`` as a "png" (300 dpi), "pdf" or "svg" file.

    One figure is rendered at a time, as matplotlib's settings are global to the process. Raises
    ``ValueError`` for another format.
    """
    if format not in _NO_DATES:
        raise ValueError(f"unknown format {format!r}: it is 'png', 'pdf' or 'svg'")
    buffer = io.BytesIO()
    with _rendering, matplotlib.rc_context(_RC):
        figure.savefig(buffer, format=format, dpi=DPI, metadata=_NO_DATES[format])
    return buffer.getvalue()


def adversarial_png(report: AttackReport) -> bytes:
    """The adversarial image rounded to 8 bits, as a lossless PNG file."""
    return to_png(report.adversarial)


def adversarial_npy(report: AttackReport) -> bytes:
    """The exact adversarial image, float32 [3, H, W] in [0, 1], as a file of numpy."""
    buffer = io.BytesIO()
    np.save(buffer, report.adversarial.detach().cpu().numpy(), allow_pickle=False)
    return buffer.getvalue()


def recipe_json(report: AttackReport) -> bytes:
    """The recipe that was run, as the file that ``rerun`` reads."""
    return (report.recipe.to_json() + "\n").encode()


def trace_csv(report: AttackReport) -> str:
    """The attack step by step as CSV: a header, then a row for each of the points 0 … T.

    Probabilities are in [0, 1]; the distance is from the original, in the threat's norm, in pixels
    of [0, 1]. Two cells are empty: the target's probability of an untargeted attack, and the
    gradient at the last point.
    """
    trace, recipe = report.trace, report.recipe
    probabilities = trace.logits[:, 0].softmax(dim=1)
    gradients = [*map(_number, trace.gradient_norm[:, 0].tolist()), ""]
    loss_column = LOSS_WORDS[recipe.loss].column
    rows: list[dict[str, object]] = []
    for step, row in enumerate(probabilities):
        predicted = int(row.argmax())
        target = "" if report.target is None else _number(row[report.target].item())
        rows.append(
            {
                "step": step,
                loss_column: _number(trace.loss[step, 0].item()),
                "predicted_index": predicted,
                "predicted_name": report.names[predicted],
                "predicted_probability": _number(row.max().item()),
                "label_probability": _number(row[report.label].item()),
                "target_probability": target,
                "gradient_l2_norm_per_pixel_unit": gradients[step],
                f"distance_{recipe.norm}_pixel_units": _number(trace.distance[step, 0].item()),
                "success": str(bool(trace.success[step, 0])).lower(),
                "kept": str(step == int(trace.kept[0])).lower(),
            }
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _number(value: float) -> str:
    """Nine digits, with which a float32 is read back exactly."""
    return f"{value:.9g}"
