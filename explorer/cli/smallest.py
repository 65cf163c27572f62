"""``smallest``: the smallest ε that fools a classifier, image by image, also under torchrun."""

from __future__ import annotations

import argparse

from explorer.cli.set_options import add_set_options, ask, attack_of
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.question import Answer
from explorer.experiments.sweep.recipe import SMALLEST
from explorer.figures.set_captions import attack_line


def add(parser: argparse.ArgumentParser) -> None:
    add_set_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return ask(options, SMALLEST, attack_of(options), (), _text)


def _text(result: Answer) -> str:
    question = result.question
    norm = question.attack.norm
    lines = [attack_line(question.recipe, len(question.images[0]))]
    for (name, smallest), images in zip(result.smallest.items(), question.images, strict=True):
        median = smallest.median
        middle = "none" if median is None else format_epsilon(median, norm)
        lines.append(f"{name}: median of the smallest ε that fools it {middle}")
        for key, epsilon in zip(images.keys, smallest.values, strict=True):
            shown = "no attack succeeded" if epsilon is None else format_epsilon(epsilon, norm)
            lines.append(f"  {key}  {shown}")
    return "\n".join(lines)
