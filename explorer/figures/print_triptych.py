"""Figures for print, drawn with matplotlib: 7 inches wide, as a page of a paper is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray
from torch import Tensor

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.figures.captions import attack_words, levels, measured_words, outcome_words, percent
from explorer.figures.palette import ADVERSARIAL, INK, INK_QUIET
from explorer.images.distances import magnification, perturbation_image
from explorer.images.geometry import to_uint8

WIDTH = 7.0  # inches, as are all lengths below
MARGIN = 0.08
PANEL = 1.88
PLUS_GAP = WIDTH - 2 * MARGIN - 3 * PANEL - 0.34  # holds "+ 1.785/255 ×"
LEFT_EDGES = (MARGIN, MARGIN + PANEL + PLUS_GAP, WIDTH - MARGIN - PANEL)
PIXELATED_BELOW = 128  # pixels; smaller images are shown as the squares they are
LINE_SPACING, ASCENT = 1.25, 0.93  # times the size of the text

TITLE_SIZE, NAME_SIZE, CONFIDENCE_SIZE, OPERATOR_SIZE, CAPTION_SIZE = (
    8.0,
    9.5,
    8.5,
    13.0,
    7.0,
)  # points
SEPARATOR = "  ·  "


def triptych(report: AttackReport, classifier_title: str) -> Figure:
    """The original, the perturbation and the adversarial image in one row, as in Goodfellow et al. (2015), figure 1.

    Under each picture stands what the classifier says of it, under the row what was done and what was measured. The
    middle picture is δ / max|δ|: grey is 0, white +1, black −1; the factor before it is max|δ|, which under L∞ is ε.
    The figure is 7 inches wide; its height follows from the number of lines the class names and the caption need.
    """
    delta = report.adversarial - report.original
    panels = (
        _Panel("original", report.original, report.before),
        _Panel(_perturbation_title(report, delta), perturbation_image(delta), report.noise),
        _Panel(
            "adversarial",
            report.adversarial,
            report.after,
            ADVERSARIAL if report.outcome == "fooled" else INK,
        ),
    )
    names = [_wrap(panel.prediction.name, PANEL, NAME_SIZE, bold=True) for panel in panels]
    caption = _caption(report, classifier_title)

    top = _height(TITLE_SIZE) + 0.07
    name_top = top + PANEL + 0.07
    confidence_top = name_top + max(map(len, names)) * _height(NAME_SIZE)
    caption_top = confidence_top + _height(CONFIDENCE_SIZE) + 0.10
    sheet = _Sheet(caption_top + len(caption) * _height(CAPTION_SIZE) + 0.05)

    for panel, left, lines in zip(panels, LEFT_EDGES, names, strict=True):
        middle = left + PANEL / 2
        sheet.lines(middle, 0.03, [panel.title], TITLE_SIZE, INK_QUIET)
        sheet.picture(left, top, to_uint8(panel.image))
        sheet.lines(middle, name_top, lines, NAME_SIZE, panel.colour, weight="bold")
        confidence = f"{percent(panel.prediction.confidence)} confidence"
        sheet.lines(
            middle, name_top + len(lines) * _height(NAME_SIZE), [confidence], CONFIDENCE_SIZE, INK
        )
    for index, operator in enumerate((_factor(report, delta), "=")):
        start = LEFT_EDGES[index] + PANEL
        size = _size_that_fits(operator, LEFT_EDGES[index + 1] - start - 0.08)
        sheet.text(
            (start + LEFT_EDGES[index + 1]) / 2,
            top + PANEL / 2,
            operator,
            size,
            INK,
            vertical="center_baseline",
        )
    sheet.lines(WIDTH / 2, caption_top, caption, CAPTION_SIZE, INK_QUIET)
    return sheet.figure


@dataclass(frozen=True)
class _Panel:
    title: str
    image: Tensor
    prediction: Prediction
    colour: str = INK


class _Sheet:
    """A figure addressed in inches from its top left corner."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH, height), facecolor="white")

    def picture(self, left: float, top: float, pixels: NDArray[np.uint8]) -> None:
        """Show uint8 [H, W, 3] in a square of side ``PANEL``, undistorted."""
        bottom = self.height - top - PANEL
        box = (left / WIDTH, bottom / self.height, PANEL / WIDTH, PANEL / self.height)
        axes = self.figure.add_axes(box, xticks=[], yticks=[])
        axes.imshow(
            pixels, interpolation="nearest" if max(pixels.shape[:2]) < PIXELATED_BELOW else "auto"
        )
        for spine in axes.spines.values():
            spine.set(linewidth=0.4, color=INK_QUIET)

    def lines(
        self,
        x: float,
        top: float,
        lines: list[str],
        size: float,
        colour: str,
        weight: str = "normal",
    ) -> None:
        """Lines below ``top``, each centred at ``x``; texts that start at one height stand on one baseline."""
        for index, line in enumerate(lines):
            baseline = top + index * _height(size) + ASCENT * size / 72
            self.text(x, baseline, line, size, colour, weight=weight, vertical="baseline")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        vertical: str,
        weight: str = "normal",
    ) -> None:
        """Centred at ``x``. Class names are anyone's text: a ``$`` in them is a dollar, not the start of a formula."""
        drawn = self.figure.text(
            x / WIDTH, 1 - y / self.height, text, size=size, color=colour, weight=weight
        )
        drawn.set(ha="center", va=vertical, parse_math=False)


def _factor(report: AttackReport, delta: Tensor) -> str:
    """What the middle picture is multiplied by: ε when the perturbation reaches it somewhere (L∞), else max|δ|."""
    peak, epsilon = float(delta.abs().max()), report.recipe.epsilon
    reached = report.recipe.norm == "linf" and abs(peak - epsilon) < 1e-5
    return f"+ {format_epsilon(epsilon, 'linf') if reached else levels(peak)} ×"


def _perturbation_title(report: AttackReport, delta: Tensor) -> str:
    if not delta.any():
        return "perturbation: none"
    scale = magnification(delta)
    factor = f"{scale:.3g}" if scale < 100 else f"{scale:.0f}"
    if _is_gradient_sign(report, delta):
        return f"sign of the gradient, {factor} × δ"
    return f"perturbation δ, magnified {factor} ×"


def _is_gradient_sign(report: AttackReport, delta: Tensor) -> bool:
    """FGSM under L∞ whose every value is ε, 0 or −ε: none was cut short by black or white."""
    if not report.recipe.is_fgsm or report.recipe.norm != "linf":
        return False
    size = delta.abs()
    return bool(((size < 1e-6) | ((size - report.recipe.epsilon).abs() < 1e-6)).all())


def _caption(report: AttackReport, classifier_title: str) -> list[str]:
    """Classifier, attack, measurements, outcome: on one line if they fit, else what was done above what was found."""
    target = None if report.target is None else report.names[report.target]
    parts = [
        classifier_title,
        attack_words(report.recipe, target),
        measured_words(report),
        outcome_words(report),
    ]
    width = WIDTH - 2 * MARGIN
    lines: list[str] = []
    for group in (
        [parts]
        if _text_width(SEPARATOR.join(parts), CAPTION_SIZE) <= width
        else [parts[:2], parts[2:]]
    ):
        joined = SEPARATOR.join(group)
        fits = _text_width(joined, CAPTION_SIZE) <= width
        lines += (
            [joined]
            if fits
            else [line for part in group for line in _wrap(part, width, CAPTION_SIZE)]
        )
    return lines


def _wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Lines no wider than ``width``, broken between words; a word that is wider by itself is broken inside."""
    lines: list[str] = []
    for word in text.split() or [""]:
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and _text_width(joined, size, bold) <= width:
            lines[-1] = joined
            continue
        while _text_width(word, size, bold) > width:
            cut = max(
                1,
                next(n for n in range(len(word)) if _text_width(word[: n + 1], size, bold) > width),
            )
            lines.append(word[:cut])
            word = word[cut:]
        lines.append(word)
    return lines


def _size_that_fits(text: str, width: float) -> float:
    """The operators' size, smaller where ``text`` is long: its width grows in proportion."""
    return min(OPERATOR_SIZE, OPERATOR_SIZE * width / _text_width(text, OPERATOR_SIZE))


def _height(size: float) -> float:
    """Of one line of text, in inches."""
    return size * LINE_SPACING / 72


@lru_cache(maxsize=4096)
def _text_width(text: str, size: float, bold: bool = False) -> float:
    """In inches, measured with the font's own metrics: no renderer is needed."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72
