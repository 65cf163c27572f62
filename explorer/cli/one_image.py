"""What ``attack`` and ``rerun`` share: running a recipe and writing its result to a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from explorer.classifiers import Classifier
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli.common import print_json, print_warnings
from explorer.experiments.one_image.attack_image import attack_image, image_digest
from explorer.experiments.one_image.recipe import (
    Recipe,
    format_epsilon,
    precision_note,
)
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.captions import confidence_text, unchecked_rounding
from explorer.figures.export import (
    adversarial_npy,
    adversarial_png,
    figure_bytes,
    recipe_json,
    trace_csv,
)
from explorer.figures.print_triptych import triptych
from explorer.files import write_together
from explorer.images.decode import DecodedImage
from explorer.images.geometry import preprocess

RECIPE_FILE = "recipe.json"


def add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default=AUTO, help=DEVICE_HELP)
    parser.add_argument("--out", required=True, help="the folder to write to")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_recipe(
    classifier: Classifier, picture: DecodedImage, recipe: Recipe, *, frames: bool = False
) -> AttackReport:
    """The recipe's attack on the picture, with notes and progress on standard error.

    ``frames`` keeps the image of every step in the trace.
    """
    print_warnings(classifier)
    for note in picture.notes:
        print(f"note: {note}", file=sys.stderr)
    image = preprocess(picture.image, classifier, recipe.crop)
    if recipe.image_digest and image_digest(image) != recipe.image_digest:
        print("note: this is not the picture of the recipe", file=sys.stderr)
    with tqdm(total=recipe.steps, unit="step", file=sys.stderr, disable=None, leave=False) as bar:
        report = attack_image(
            classifier,
            image,
            recipe,
            frames=frames,
            on_step=lambda done, steps, loss: _advance(bar, done, steps),
        )
    precision = precision_note(recipe, report.recipe)
    if precision is not None:
        print(f"note: {precision}", file=sys.stderr)
    return report


def _advance(bar: tqdm[NoReturn], done: int, steps: int) -> None:
    """Show ``done`` of ``steps``, which a thorough attack knows better than its recipe."""
    bar.total = steps
    bar.update(done - bar.n)


def write_result(
    report: AttackReport, classifier: Classifier, out: Path, more: Mapping[str, bytes] = {}
) -> None:
    """Write the adversarial image, the triptych, the trace, the recipe and ``more`` into ``out``.

    ``more`` are the contents of further files by name.
    """
    figure = triptych(report, classifier.title)
    files = {
        "adversarial.png": adversarial_png(report),
        "adversarial.npy": adversarial_npy(report),
        "triptych.png": figure_bytes(figure, "png"),
        "triptych.pdf": figure_bytes(figure, "pdf"),
        "triptych.svg": figure_bytes(figure, "svg"),
        "trace.csv": trace_csv(report).encode(),
        RECIPE_FILE: recipe_json(report),
        **more,
    }
    write_together(out, files)


def print_result(report: AttackReport, out: Path, as_json: bool, **more: object) -> None:
    """Print the outcome as sentences, or as one JSON object with ``more`` values."""
    if as_json:
        print_json(_values(report) | more)
    else:
        print(_sentences(report, out))


def _values(report: AttackReport) -> dict[str, object]:
    confidence = float(report.before.probabilities[report.label])
    return {
        "label": {"name": report.names[report.label], "confidence": confidence},
        "adversarial": {"name": report.after.name, "confidence": report.after.confidence},
        "success": report.success,
        "outcome": report.outcome,
        "survives_8bit": report.survives_8bit,
        "linf": report.linf,
        "l2": report.l2,
        "ssim": report.ssim,
        "seconds": report.seconds,
    }


def _sentences(report: AttackReport, out: Path) -> str:
    recipe = report.recipe
    target = "" if report.target is None else f" (target: {report.names[report.target]})"
    verdict = "still fools" if report.survives_8bit else "no longer fools"
    rounded = unchecked_rounding(report) or f"{verdict} after rounding"
    distance = f"L∞ {format_epsilon(report.linf, 'linf')}, L2 {report.l2:.3f}"
    limit = f"{recipe.norm} {format_epsilon(recipe.epsilon, recipe.norm)}"
    return (
        f"original     {report.before.name}  {confidence_text(report.before.confidence)}\n"
        f"adversarial  {report.after.name}  {confidence_text(report.after.confidence)}\n"
        f"outcome      {report.outcome}{target}\n"
        f"8 bits       {rounded}\n"
        f"distance     {distance}, SSIM {report.ssim:.4f}  (allowed: {limit})\n"
        f"written to   {out}"
    )
