"""``attack --animation``: the attack as moving pictures, beside the other files of a result."""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from explorer.classifiers import Classifier
from explorer.cli.common import UsageError
from explorer.cli.given import refuse_void
from explorer.experiments.one_image.frames import frames_fit
from explorer.experiments.one_image.ladder import compute_ladder
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.animation import FORMATS, animation_bytes
from explorer.figures.attack_animation import images_of_steps, ladder_animation, step_animation

STEPS, EPSILON = "steps", "epsilon"


def add_animation_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--animation`` and ``--animate``."""
    parser.add_argument(
        "--animation",
        nargs="+",
        choices=tuple(FORMATS),
        default=(),
        metavar="FORMAT",
        help="also write animation.FORMAT for slides: gif, webp, png (APNG); a GIF's 256 colours "
        "hide a small change",
    )
    parser.add_argument(
        "--animate",
        choices=(STEPS, EPSILON),
        default=STEPS,
        help="what changes from frame to frame (default steps)",
    )


def needs_frames(options: argparse.Namespace) -> bool:
    """Whether the attack has to keep the image of every step."""
    return bool(options.animation) and options.animate == STEPS


def check_animation(options: argparse.Namespace, classifier: Classifier, recipe: Recipe) -> None:
    """Raise :class:`UsageError` if the images of all steps would need too much memory."""
    if not options.animation:
        refuse_void(options, ("--animate",), "without --animation nothing moves")
    if needs_frames(options) and not frames_fit(
        classifier.input_size, recipe.steps, recipe.restarts
    ):
        raise UsageError(
            "--animation needs the image of every step, which is too much memory for so many steps "
            "and restarts at this size; take fewer, or --animate epsilon"
        )


def animations(
    options: argparse.Namespace, classifier: Classifier, report: AttackReport
) -> dict[str, bytes]:
    """The files that ``--animation`` asks for, by name."""
    if not options.animation:
        return {}
    if options.animate == STEPS:
        animation = step_animation(report, images_of_steps(report), classifier.title)
    else:
        with tqdm(unit="step", file=sys.stderr, disable=None, leave=False) as bar:
            ladder = compute_ladder(
                classifier,
                report.original,
                report.recipe,
                on_step=lambda done, steps, loss: bar.update(done - bar.n),
            )
        animation = ladder_animation(ladder.with_report(report), classifier.title)
    names = dict.fromkeys(options.animation)
    return {f"animation.{each}": animation_bytes(animation, each) for each in names}
