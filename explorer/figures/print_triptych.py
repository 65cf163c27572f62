"""The triptych of an attack for print, drawn with matplotlib, 7 inches wide."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure
from torch import Tensor

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.figures.captions import (
    attack_caption,
    levels,
    measurements_caption,
    outcome_caption,
    percent,
)
from explorer.figures.palette import ADVERSARIAL, INK, INK_QUIET
from explorer.figures.print_canvas import Canvas, line_height, text_width, wrap
from explorer.images.distances import magnification, perturbation_image
from explorer.images.geometry import to_uint8

WIDTH = 7.0  # inches, as are all lengths below
MARGIN = 0.08
SIDE = 1.88  # of a picture
PLUS_GAP = WIDTH - 2 * MARGIN - 3 * SIDE - 0.34  # holds "+ 1.785/255 ×"
LEFT_EDGES = (MARGIN, MARGIN + SIDE + PLUS_GAP, WIDTH - MARGIN - SIDE)

# Points.
TITLE_SIZE, NAME_SIZE, CONFIDENCE_SIZE, OPERATOR_SIZE, CAPTION_SIZE = 8.0, 9.5, 8.5, 13.0, 7.0
SEPARATOR = "  ·  "


@dataclass(frozen=True)
class _Column:
    """A picture with the title above it and the prediction below it."""

    title: str
    image: Tensor
    prediction: Prediction
    colour: str = INK


def triptych(report: AttackReport, classifier_title: str) -> Figure:
    """The original, the perturbation and the adversarial image in one row.

    The layout is that of figure 1 in Goodfellow et al. (2015). Each picture has its prediction
    below it, and the row has a caption with the attack and the measurements. The middle picture is
    δ / max|δ|: grey is 0, white +1, black −1; the factor before it is max|δ|, which under L∞ is ε.
    The figure is 7 inches wide and as high as the class names and the caption need.
    """
    delta = report.adversarial - report.original
    last_colour = ADVERSARIAL if report.outcome == "fooled" else INK
    columns = (
        _Column("original", report.original, report.before),
        _Column(_perturbation_title(report, delta), perturbation_image(delta), report.noise),
        _Column("adversarial", report.adversarial, report.after, last_colour),
    )
    names = [wrap(column.prediction.name, SIDE, NAME_SIZE, bold=True) for column in columns]
    caption = _caption(report, classifier_title)

    picture_top = line_height(TITLE_SIZE) + 0.07
    name_top = picture_top + SIDE + 0.07
    confidence_top = name_top + max(map(len, names)) * line_height(NAME_SIZE)
    caption_top = confidence_top + line_height(CONFIDENCE_SIZE) + 0.10
    canvas = Canvas(WIDTH, caption_top + len(caption) * line_height(CAPTION_SIZE) + 0.05)

    for column, left, name in zip(columns, LEFT_EDGES, names, strict=True):
        middle = left + SIDE / 2
        canvas.lines(middle, 0.03, [column.title], TITLE_SIZE, INK_QUIET)
        canvas.picture(left, picture_top, SIDE, to_uint8(column.image))
        canvas.lines(middle, name_top, name, NAME_SIZE, column.colour, weight="bold")
        confidence = f"{percent(column.prediction.confidence)} confidence"
        below_name = name_top + len(name) * line_height(NAME_SIZE)
        canvas.lines(middle, below_name, [confidence], CONFIDENCE_SIZE, INK)
    for index, operator in enumerate((_factor(report, delta), "=")):
        start, end = LEFT_EDGES[index] + SIDE, LEFT_EDGES[index + 1]
        # Smaller where the text is long: its width grows in proportion to its size.
        available = end - start - 0.08
        size = min(OPERATOR_SIZE, OPERATOR_SIZE * available / text_width(operator, OPERATOR_SIZE))
        y = picture_top + SIDE / 2
        canvas.text((start + end) / 2, y, operator, size, INK, vertical="center_baseline")
    canvas.lines(WIDTH / 2, caption_top, caption, CAPTION_SIZE, INK_QUIET)
    return canvas.figure


def _factor(report: AttackReport, delta: Tensor) -> str:
    """The factor of the middle picture: max|δ|, written as ε where it is ε under L∞."""
    largest, epsilon = float(delta.abs().max()), report.recipe.epsilon
    is_epsilon = report.recipe.norm == "linf" and abs(largest - epsilon) < 1e-5
    return f"+ {format_epsilon(epsilon, 'linf') if is_epsilon else levels(largest)} ×"


def _perturbation_title(report: AttackReport, delta: Tensor) -> str:
    if not delta.any():
        return "perturbation: none"
    scale = magnification(delta)
    factor = f"{scale:.3g}" if scale < 100 else f"{scale:.0f}"
    if _is_gradient_sign(report, delta):
        return f"sign of the gradient, {factor} × δ"
    return f"perturbation δ, magnified {factor} ×"


def _is_gradient_sign(report: AttackReport, delta: Tensor) -> bool:
    """Whether this is FGSM under L∞ and no value was clipped, so that each is ε, 0 or −ε."""
    if not report.recipe.is_fgsm or report.recipe.norm != "linf":
        return False
    size = delta.abs()
    return bool(((size < 1e-6) | ((size - report.recipe.epsilon).abs() < 1e-6)).all())


def _caption(report: AttackReport, classifier_title: str) -> list[str]:
    """Classifier, attack, measurements and outcome, on one line if they fit, else on more."""
    target = None if report.target is None else report.names[report.target]
    attack = [classifier_title, attack_caption(report.recipe, target)]
    result = [measurements_caption(report), outcome_caption(report)]
    width = WIDTH - 2 * MARGIN

    def fits(parts: list[str]) -> bool:
        return text_width(SEPARATOR.join(parts), CAPTION_SIZE) <= width

    lines: list[str] = []
    for parts in [attack + result] if fits(attack + result) else [attack, result]:
        if fits(parts):
            lines.append(SEPARATOR.join(parts))
        else:
            lines += [line for part in parts for line in wrap(part, width, CAPTION_SIZE)]
    return lines
