"""What the frames of an attack's moving picture show: its steps, or its ε."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.experiments.one_image.ladder import Ladder
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackedImage, AttackReport, Prediction
from explorer.figures.animation import MAX_FRAMES, Animation, Frame
from explorer.figures.captions import NORM_NAMES, attack_caption, measurements_caption
from explorer.figures.palette import ADVERSARIAL, INK, OUTCOME_MARKS
from explorer.figures.print_triptych import SEPARATOR
from explorer.images.geometry import to_uint8

Pixels = NDArray[np.uint8]


def step_animation(
    report: AttackReport, images: Mapping[int, Pixels], classifier_title: str
) -> Animation:
    """The attack step by step. ``images`` has the image, uint8 [H, W, 3], at some of its steps.

    The last frame is the adversarial image, which is that of the step that was kept.
    """
    trace, names = report.trace, report.names
    probabilities = trace.logits[:, 0].softmax(dim=1)
    kept, steps = int(trace.kept[0]), trace.steps
    frames = []
    for step in spread(sorted(images), MAX_FRAMES - 1):
        if step == steps == kept:
            break
        prediction = Prediction(probabilities[step], names)
        success = bool(trace.success[step, 0])
        frames.append(_frame(images[step], f"step {step} of {steps}", prediction, success))
    title = f"step {kept} of {steps}" + ("" if kept == steps else ", kept")
    frames.append(_frame(to_uint8(report.adversarial), title, report.after, report.success))
    target = None if report.target is None else names[report.target]
    attack = attack_caption(report.recipe, target)
    caption = (SEPARATOR.join([classifier_title, attack]), measurements_caption(report))
    return Animation(_original(report), tuple(frames), caption)


def images_of_steps(report: AttackReport) -> dict[int, Pixels]:
    """The images that the report's trace has, as many as an animation shows.

    Raises ``ValueError`` if it has none.
    """
    frames = report.trace.frames
    if frames is None:
        raise ValueError("the trace has no frames; ask the attack to keep them")
    return {step: to_uint8(frames[step, 0]) for step in spread(range(len(frames)), MAX_FRAMES - 1)}


def ladder_animation(ladder: Ladder, classifier_title: str) -> Animation:
    """The attacked image at each ε of ``ladder``, ascending."""
    recipe = ladder.recipe
    frames = []
    for index in spread(range(len(ladder.rungs)), MAX_FRAMES):
        rung = ladder.rungs[index]
        title = f"{NORM_NAMES[recipe.norm]} ε = {format_epsilon(rung.epsilon, recipe.norm)}"
        image = rung.image
        frames.append(_frame(to_uint8(image.adversarial), title, image.after, image.success))
    first = ladder.rungs[0].image
    aim = "untargeted" if first.target is None else f"target: {first.names[first.target]}"
    caption = SEPARATOR.join([classifier_title, NORM_NAMES[recipe.norm], aim])
    return Animation(_original(first), tuple(frames), (caption,))


def spread(items: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of ``items``, evenly spaced, with the first and the last."""
    if len(items) <= most:
        return list(items)
    last = len(items) - 1
    return [items[round(index * last / (most - 1))] for index in range(most)]


def _original(image: AttackedImage) -> Frame:
    before = image.before
    return Frame(to_uint8(image.original), "original", before.name, before.confidence)


def _frame(pixels: Pixels, title: str, prediction: Prediction, success: bool) -> Frame:
    mark = OUTCOME_MARKS["fooled" if success else "held"]
    word = mark.word if success else "not fooled"
    colour = ADVERSARIAL if success else INK
    note = f"{mark.icon} {word}"
    return Frame(pixels, title, prediction.name, prediction.confidence, note, colour)
