"""Results as files: figures, images and tables, in bytes that are the same each time."""

from __future__ import annotations

import csv
import io
from threading import Lock

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import to_png

DPI = 300
# Text stays text in a PDF (type 42, which journals ask for) and in an SVG; the salt fixes an SVG's identifiers.
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
_LOSS_COLUMNS = {
    "ce": "loss_cross_entropy_nats",
    "cw": "loss_margin_logits",
    "dlr": "loss_dlr_ratio",
}
_rendering = Lock()


def figure_bytes(figure: Figure, format: str) -> bytes:
    """``figure`` as a "png" (300 dpi), "pdf" or "svg" file. Raises ``ValueError`` for another format.

    matplotlib's settings are global to the process, so that one figure is rendered at a time.
    """
    if format not in _NO_DATES:
        raise ValueError(f"unknown format {format!r}: it is 'png', 'pdf' or 'svg'")
    buffer = io.BytesIO()
    with _rendering, matplotlib.rc_context(_RC):
        figure.savefig(buffer, format=format, dpi=DPI, metadata=_NO_DATES[format])
    return buffer.getvalue()


def adversarial_png(report: AttackReport) -> bytes:
    """The adversarial image rounded to 8 bits, lossless."""
    return to_png(report.adversarial)


def adversarial_npy(report: AttackReport) -> bytes:
    """The adversarial image as it is: float32 [3, H, W] in [0, 1], in numpy's format."""
    buffer = io.BytesIO()
    np.save(buffer, report.adversarial.detach().cpu().numpy(), allow_pickle=False)
    return buffer.getvalue()


def trace_csv(report: AttackReport) -> str:
    """The attack step by step: a header, then a row for each of the points 0 … T.

    Probabilities are in [0, 1]; the distance is from the original, in the threat's norm, in pixels of [0, 1]. A cell is
    empty where there is nothing to say: the target's probability when untargeted, the gradient at the last point.
    """
    trace, recipe = report.trace, report.recipe
    probabilities = trace.logits[:, 0].softmax(dim=1)
    gradients = [_number(norm) for norm in trace.gradient_norm[:, 0].tolist()] + [""]
    rows = [
        {
            "step": step,
            _LOSS_COLUMNS.get(recipe.loss, f"loss_{recipe.loss}"): _number(
                trace.loss[step, 0].item()
            ),
            "predicted_index": int(row.argmax()),
            "predicted_name": report.names[int(row.argmax())],
            "predicted_probability": _number(row.max().item()),
            "label_probability": _number(row[report.label].item()),
            "target_probability": ""
            if report.target is None
            else _number(row[report.target].item()),
            "gradient_l2_norm_per_pixel_unit": gradients[step],
            f"distance_{recipe.norm}_pixel_units": _number(trace.distance[step, 0].item()),
            "success": str(bool(trace.success[step, 0])).lower(),
            "kept": str(step == int(trace.kept[0])).lower(),
        }
        for step, row in enumerate(probabilities)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _number(value: float) -> str:
    """Nine digits: what a float32 needs to be read back as it was."""
    return f"{value:.9g}"
