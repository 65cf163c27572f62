"""Pictures at their smallest ε, in a row for print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from torch import Tensor

from explorer.datasets.labelled import LabelledImages
from explorer.experiments.sweep.set_attack import pixels_of
from explorer.experiments.sweep.smallest_epsilon import SmallestEpsilons
from explorer.figures.palette import INK, INK_QUIET
from explorer.figures.print_canvas import Canvas, fitting_size, line_height, wrap
from explorer.figures.set_captions import short_epsilon
from explorer.images.distances import perturbation_image
from explorer.images.geometry import to_uint8

WIDTH, MARGIN, GAP = 7.0, 0.08, 0.06  # inches, of a full row
MOST = 8  # pictures in a row
SIDE = (WIDTH - 2 * MARGIN - (MOST - 1) * GAP) / MOST
NARROWEST = 3.5  # of a figure, so that its caption has room
SIZE, CAPTION_SIZE = 6.5, 6.5  # points


@dataclass(frozen=True)
class SmallestPicture:
    """An ``original`` and its ``adversarial`` image at the smallest ``epsilon``.

    Both are float32 [C, H, W]; ``epsilon`` is None where no attack succeeded. ``before`` and
    ``after`` are the classes predicted for them.
    """

    original: Tensor
    adversarial: Tensor
    epsilon: float | None
    before: str
    after: str


def spread_pictures(data: LabelledImages, result: SmallestEpsilons) -> list[SmallestPicture]:
    """At most :data:`MOST` of the pictures that ``result`` has, evenly from the smallest ε up.

    Those that are misclassified without an attack are left out.
    """
    first = result.epsilon[: len(result.adversarial)]
    order = [row for row in first.argsort(stable=True).tolist() if first[row] > 0]
    step = max(1.0, (len(order) - 1) / (MOST - 1))
    chosen = [order[round(index * step)] for index in range(min(MOST, len(order)))]
    return [
        SmallestPicture(
            pixels_of(data.images[row]),
            result.adversarial[row],
            result.values[row],
            data.names[int(result.before[row])],
            data.names[int(result.after[row])],
        )
        for row in chosen
    ]


def smallest_row(pictures: Sequence[SmallestPicture], norm: str, caption: str) -> Figure:
    """At most :data:`MOST` pictures: the original, the magnified perturbation, the adversarial one.

    The class predicted for a picture and its ε stand below it.
    """
    shown = pictures[:MOST]
    width = max(NARROWEST, 2 * MARGIN + len(shown) * (SIDE + GAP) - GAP)
    text = line_height(SIZE)
    names = [name for each in shown for name in (each.before, each.after)]
    size = fitting_size(names, SIDE, SIZE)
    words = [[wrap(name, SIDE, size)[:2] for name in (each.before, each.after)] for each in shown]
    lines = max((len(each) for pair in words for each in pair), default=1)
    caption_lines = wrap(caption, width - 2 * MARGIN, CAPTION_SIZE)
    tops = [MARGIN]
    tops.append(tops[0] + SIDE + lines * text + GAP)
    tops.append(tops[1] + SIDE + GAP)
    bottom = tops[2] + SIDE + (lines + 1) * text + GAP
    height = bottom + len(caption_lines) * line_height(CAPTION_SIZE) + MARGIN
    canvas = Canvas(width, height)
    first = (width - len(shown) * (SIDE + GAP) + GAP) / 2
    for index, (each, (before, after)) in enumerate(zip(shown, words, strict=True)):
        left = first + index * (SIDE + GAP)
        middle = left + SIDE / 2
        perturbation = perturbation_image(each.adversarial - each.original)
        for top, picture in zip(tops, (each.original, perturbation, each.adversarial), strict=True):
            canvas.picture(left, top, SIDE, to_uint8(picture))
        canvas.lines(middle, tops[0] + SIDE + 0.02, before, size, INK)
        epsilon = "held" if each.epsilon is None else f"ε = {short_epsilon(each.epsilon, norm)}"
        canvas.lines(middle, tops[2] + SIDE + 0.02, [*after, epsilon], size, INK)
    canvas.lines(width / 2, bottom, caption_lines, CAPTION_SIZE, INK_QUIET)
    return canvas.figure
