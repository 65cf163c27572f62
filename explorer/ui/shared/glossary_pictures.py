"""The small pictures of the glossary, as SVG.

Their colours have a contrast of 3 : 1 on the light and on the dark page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.figures.palette import ADVERSARIAL, HELD, ORIGINAL, ROBUST, STANDARD

WIDTH, HEIGHT = 240, 140


def _svg(*parts: str) -> str:
    style = f'font-family="sans-serif" font-size="13" fill="{ORIGINAL}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" {style}>{"".join(parts)}</svg>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"/>'


def _path(points: Iterable[tuple[float, float]], colour: str) -> str:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2.5"/>'


def _arrow(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    angle = math.atan2(y2 - y1, x2 - x1)
    wings = [(x2 - 9 * math.cos(angle + a), y2 - 9 * math.sin(angle + a)) for a in (0.45, -0.45)]
    return _line(x1, y1, x2, y2, colour) + _path([wings[0], (x2, y2), wings[1]], colour)


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}"/>'


def _square(x: float, y: float, side: float) -> str:
    place = f'x="{x}" y="{y}" width="{side}" height="{side}"'
    return (
        f'<rect {place} fill="none" stroke="{ORIGINAL}" stroke-width="2" stroke-dasharray="5 4"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = ORIGINAL) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{text}</text>'


def ball() -> str:
    """The changes of size at most ε around a picture."""
    return _svg(
        _square(70, 20, 100),
        _dot(120, 70, ORIGINAL),
        _text(120, 92, "x"),
        _arrow(120, 70, 168, 70, ADVERSARIAL),
        _text(144, 62, "ε", colour=ADVERSARIAL),
        _dot(155, 32, ADVERSARIAL),
        _text(182, 32, "x′", colour=ADVERSARIAL),
    )


def linf() -> str:
    """Changes of single values, none of them above ε."""
    changes = (0.6, -1, 1, 0.3, -0.8, 1, -1, 0.5)
    bars = [
        _bar(46 + 22 * i, 70 - max(change, 0) * 44, 14, abs(change) * 44, ADVERSARIAL)
        for i, change in enumerate(changes)
    ]
    bounds = [_line(40, y, 226, y, ORIGINAL, "5 4") for y in (26, 114)]
    names = [_text(32, y, name, "end") for y, name in ((31, "+ε"), (75, "0"), (119, "−ε"))]
    return _svg(*bars, *bounds, *names)


def l2() -> str:
    """Two changes and the length of both together."""
    return _svg(
        _line(60, 110, 180, 110, ORIGINAL),
        _line(180, 110, 180, 30, ORIGINAL),
        _line(60, 110, 180, 30, ADVERSARIAL),
        _text(120, 130, "δ₁"),
        _text(198, 75, "δ₂"),
        _text(104, 62, "‖δ‖₂", "end", ADVERSARIAL),
    )


def ssim() -> str:
    """A line of a picture, one that is like it, and one that is not."""

    def line(top: float, pattern: float, shift: float, colour: str) -> str:
        points = [
            (74 + 2 * t, top - 12 * math.sin(t / 9 + shift) - pattern * math.sin(t / 2))
            for t in range(72)
        ]
        return _path(points, colour)

    return _svg(
        _text(60, 33, "x", "end"),
        line(28, 2, 0, ORIGINAL),
        _text(60, 77, "alike", "end", HELD),
        line(72, 3, 0, HELD),
        _text(60, 121, "unlike", "end", ADVERSARIAL),
        line(116, 5, math.pi, ADVERSARIAL),
    )


def pgd() -> str:
    """Steps within the square, one of which is projected back."""
    points = [(92, 98), (112, 76), (132, 90), (152, 60)]
    steps = [_arrow(*a, *b, ADVERSARIAL) for a, b in pairwise(points)]
    return _svg(
        _square(70, 20, 100),
        _dot(*points[0], ORIGINAL),
        *steps,
        _arrow(152, 60, 200, 44, ADVERSARIAL),
        _arrow(198, 46, 172, 46, HELD),
        _text(204, 70, "Π", "start", HELD),
    )


def fgsm() -> str:
    """One step into the corner of the square."""
    return _svg(
        _square(70, 20, 100),
        _dot(120, 70, ORIGINAL),
        _text(108, 88, "x"),
        _arrow(120, 70, 168, 22, ADVERSARIAL),
        _text(186, 24, "x′", colour=ADVERSARIAL),
    )


def gradient() -> str:
    """The loss over one value, with its tangent."""
    curve = [(30 + 2 * t, 115 - 80 / (1 + math.exp(-(t - 50) / 13))) for t in range(0, 96, 3)]
    return _svg(
        _path(curve, ORIGINAL),
        _line(82, 107, 166, 42, ADVERSARIAL),
        _dot(124, 77, ADVERSARIAL),
        _text(60, 36, "loss"),
        _text(176, 70, "slope > 0: go up", "middle", ADVERSARIAL),
        _text(130, 134, "one value of the picture"),
    )


def step_size() -> str:
    """The length of steps 1 to 8, by the formula."""
    lengths = [min(1.0, 2.5 / t) for t in range(1, 9)]
    bars = [
        _bar(46 + 23 * i, 112 - 84 * length, 15, 84 * length, ADVERSARIAL)
        for i, length in enumerate(lengths)
    ]
    return _svg(*bars, _text(36, 34, "ε", "end"), _text(53, 130, "t = 1"), _text(214, 130, "8"))


def restart() -> str:
    """Three paths up the loss from different starts."""
    paths = (
        [(30, 115), (55, 96), (80, 84), (105, 80)],
        [(90, 118), (118, 92), (144, 58), (168, 30)],
        [(150, 120), (176, 98), (200, 84), (222, 76)],
    )
    best = paths[1]
    drawn = [_path(path, ADVERSARIAL if path is best else ORIGINAL) for path in paths]
    starts = [_dot(*path[0], ORIGINAL) for path in paths]
    return _svg(*drawn, *starts, _dot(*best[-1], ADVERSARIAL), _text(24, 24, "loss", "start"))


def logits() -> str:
    """Scores, and the confidences that softmax makes of them."""
    scores = (2.0, 1.0, -0.5)
    total = sum(map(math.exp, scores))
    parts = []
    for i, score in enumerate(scores):
        height = 26 * abs(score)
        parts.append(_bar(30 + 26 * i, 80 - max(score, 0) * 26, 18, height, ORIGINAL))
        share = 84 * math.exp(score) / total
        parts.append(_bar(146 + 26 * i, 106 - share, 18, share, STANDARD))
    return _svg(
        *parts,
        _arrow(112, 70, 136, 70, ORIGINAL),
        _text(65, 130, "logits"),
        _text(182, 130, "confidences", colour=STANDARD),
    )


def margin() -> str:
    """The gap between the label's score and that of the best wrong class."""
    return _svg(
        _bar(60, 54, 34, 60, ORIGINAL),
        _bar(130, 26, 34, 88, ADVERSARIAL),
        _line(56, 54, 200, 54, ORIGINAL, "5 4"),
        _arrow(184, 54, 184, 28, ADVERSARIAL),
        _text(192, 45, "margin", "start", ADVERSARIAL),
        _text(77, 131, "label"),
        _text(150, 131, "best wrong"),
    )


def dlr() -> str:
    """Three scores, and the two differences whose ratio it is."""
    return _svg(
        *(
            _bar(30 + 42 * i, y, 28, 114 - y, colour)
            for i, (y, colour) in enumerate(((26, ADVERSARIAL), (52, ORIGINAL), (84, ORIGINAL)))
        ),
        *(_line(26, y, 226, y, ORIGINAL, "5 4") for y in (26, 52, 84)),
        _arrow(176, 52, 176, 28, ADVERSARIAL),
        _arrow(210, 84, 210, 28, HELD),
        _text(170, 45, "margin", "end", ADVERSARIAL),
        _text(204, 74, "divided by", "end", HELD),
        _text(86, 131, "best wrong, label, third"),
    )


def robust_accuracy() -> str:
    """The accuracy of two classifiers while ε grows, as a sketch."""
    standard = [(40 + 2 * t, 34 + 82 / (1 + math.exp(-(t - 25) / 6))) for t in range(0, 91, 3)]
    robust = [(40 + 2 * t, 44 + 72 / (1 + math.exp(-(t - 75) / 14))) for t in range(0, 91, 3)]
    return _svg(
        _path(standard, STANDARD),
        _path(robust, ROBUST),
        _text(34, 24, "accuracy", "start"),
        _text(222, 134, "ε", "end"),
        _text(150, 40, "robust", "start", ROBUST),
        _text(106, 104, "standard", "start", STANDARD),
    )


def wilson_interval() -> str:
    """The intervals of one share for more and more pictures."""
    parts = []
    for i, n in enumerate((20, 200, 2000)):
        low, high = wilson(round(0.85 * n), n)
        y = 34 + 34 * i
        parts += [
            _line(70 + 160 * low, y, 70 + 160 * high, y, ADVERSARIAL),
            _dot(70 + 160 * 0.85, y, ADVERSARIAL),
            _text(62, y + 4, f"n = {n:,}", "end"),
        ]
    return _svg(*parts, _text(70, 132, "0 %"), _text(226, 132, "100 %", "end"))


def robust_feature() -> str:
    """An attack moves one feature across zero and leaves the other on its side."""
    parts = [_line(120, 18, 120, 112, ORIGINAL, "5 4"), _text(120, 131, "0: the classes part here")]
    for y, start, end, colour, name in (
        (42, 140, 90, ADVERSARIAL, "non-robust"),
        (88, 220, 170, HELD, "robust"),
    ):
        parts += [_dot(start, y, colour), _arrow(start, y, end, y, colour)]
        parts.append(_text(232, y - 14, name, "end", colour))
    return _svg(*parts)


def transfer() -> str:
    """A picture that is made on one classifier and shown to another."""
    boxes = []
    for x, name, colour in ((8, "classifier 1", STANDARD), (140, "classifier 2", HELD)):
        place = f'x="{x}" y="20" width="92" height="40" rx="6"'
        boxes.append(f'<rect {place} fill="none" stroke="{colour}" stroke-width="2.5"/>')
        boxes.append(_text(x + 46, 45, name, colour=colour))
    return _svg(
        *boxes,
        _arrow(54, 62, 96, 104, ADVERSARIAL),
        _arrow(142, 104, 184, 64, ADVERSARIAL),
        _bar(103, 92, 34, 34, ADVERSARIAL),
        _text(120, 84, "x + δ", colour=ADVERSARIAL),
    )
