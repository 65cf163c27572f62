"""The triptych of an attack for print, drawn with matplotlib, 7 inches wide."""

from __future__ import annotations

from matplotlib.figure import Figure
from torch import Tensor

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.captions import (
    attack_caption,
    levels,
    measurements_caption,
    outcome_caption,
)
from explorer.figures.palette import ADVERSARIAL, INK, INK_QUIET
from explorer.figures.print_canvas import Canvas, line_height, text_width, wrap
from explorer.figures.print_row import Column, PictureRow
from explorer.images.distances import magnification, perturbation_image

WIDTH = 7.0  # inches, as are all lengths below
MARGIN = 0.08
SIDE = 1.88  # of a picture
PLUS_GAP = WIDTH - 2 * MARGIN - 3 * SIDE - 0.34  # holds "+ 1.785/255 ×"
LEFT_EDGES = (MARGIN, MARGIN + SIDE + PLUS_GAP, WIDTH - MARGIN - SIDE)

CAPTION_SIZE = 7.0  # points
SEPARATOR = "  ·  "


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
        Column("original", report.original, report.before),
        Column(_perturbation_title(report, delta), perturbation_image(delta), report.noise),
        Column("adversarial", report.adversarial, report.after, last_colour),
    )
    row = PictureRow(columns, LEFT_EDGES, SIDE, (factor_text(report), "="))
    caption = _caption(report, classifier_title)
    caption_top = row.height + 0.10
    canvas = Canvas(WIDTH, caption_top + len(caption) * line_height(CAPTION_SIZE) + 0.05)
    row.draw(canvas, 0.0)
    canvas.lines(WIDTH / 2, caption_top, caption, CAPTION_SIZE, INK_QUIET)
    return canvas.figure


def factor_text(report: AttackReport) -> str:
    """The factor of the middle picture: max|δ|, written as ε where it is ε under L∞."""
    delta = report.adversarial - report.original
    largest, epsilon = float(delta.abs().max()), report.recipe.epsilon
    is_epsilon = report.recipe.norm == "linf" and abs(largest - epsilon) < 1e-5
    return f"+ {format_epsilon(epsilon, 'linf') if is_epsilon else levels(largest)} ×"


def _perturbation_title(report: AttackReport, delta: Tensor) -> str:
    if not delta.any():
        return "perturbation: none"
    if _is_gradient_sign(report, delta):
        return f"sign of the gradient, {scale_text(delta)} × δ"
    return f"perturbation δ, magnified {scale_text(delta)} ×"


def scale_text(delta: Tensor) -> str:
    """The magnification of a perturbation picture, without an exponent."""
    scale = magnification(delta)
    return f"{scale:.3g}" if scale < 100 else f"{scale:.0f}"


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
