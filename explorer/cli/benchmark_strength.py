"""``bench --to-strength``: our steps and time to the strength of other libraries' attacks."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from typing import Any

from torch import Tensor

from explorer.benchmarks.baselines import BASELINES, Setting
from explorer.benchmarks.models import BenchmarkModel
from explorer.benchmarks.rounds import gallery_images
from explorer.benchmarks.strength import (
    BASELINE_STEPS,
    MOST_STEPS,
    Comparison,
    OnCase,
    Reached,
    Strength,
    StrengthCase,
    measure_strength,
)
from explorer.classifiers import Classifier
from explorer.cli import whole_numbers
from explorer.cli.common import UsageError, number
from explorer.cli.given import refuse_void
from explorer.datasets.sources import read_source
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.figures.captions import percent
from explorer.images.gallery import samples

STRENGTH_MODELS = (
    *("cifar10-standard", "cifar10-robust", "tiny12-standard", "tiny12-robust"),
    *("torchvision:squeezenet1_1", "efficientnet_lite0"),
)
IMAGES, MAX_IMAGES = 64, 10_000
GALLERY = "the sample pictures"
# L∞ and L2 radii at which PGD fools a part of the images and the strength of attacks differs.
EPSILONS = {
    "cifar10-standard": (1 / 255, 0.15),
    "cifar10-robust": (4 / 255, 0.5),
    "tiny12-standard": (1 / 255, 0.3),
    "tiny12-robust": (4 / 255, 1.0),
}
OTHER_EPSILONS = (0.5 / 255, 0.25)
_COLUMNS = ("", "steps", "mean loss", "success", "seconds", "times ours")
_ROW = "  {:16} {:>9} {:>10} {:>8} {:>8} {:>11}"


def add_strength_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``bench --to-strength``."""
    add = parser.add_argument
    add(
        "--to-strength",
        action="store_true",
        help="measure how many of our steps, and how much time, reach the mean loss and success of "
        "the PGD of torchattacks, Foolbox and ART, and of APGD, as far as they are installed",
    )
    add("--data", help=f"images for --to-strength, as for evaluate (default: {GALLERY})")
    add(
        "--limit",
        type=whole_numbers.whole_number(1, MAX_IMAGES),
        default=IMAGES,
        help=f"of these, the first N (default {IMAGES})",
    )
    add(
        "--epsilon-l2",
        type=number,
        help="L2 radius for --to-strength (it and --epsilon have a default for each classifier)",
    )
    add(
        "--peer-steps",
        type=whole_numbers.whole_number(1, 10 * MOST_STEPS),
        nargs="+",
        default=list(BASELINE_STEPS),
        help="PGD steps of the other libraries for --to-strength (default 10 40 100)",
    )
    add(
        "--norm",
        nargs="+",
        choices=("linf", "l2"),
        default=["linf", "l2"],
        help="of --to-strength (default: both)",
    )
    add(
        "--aim",
        nargs="+",
        choices=("untargeted", "targeted"),
        default=["untargeted", "targeted"],
        help="of --to-strength (default: both)",
    )


def check_strength(options: argparse.Namespace) -> None:
    """Raise :class:`UsageError` for options that can't be used."""
    if not options.to_strength:
        flags = ("--data", "--limit", "--epsilon-l2", "--peer-steps", "--norm", "--aim")
        refuse_void(options, flags, "only --to-strength takes these options")
        return
    steps = "--to-strength takes all images as one batch, and looks for the steps itself"
    refuse_void(options, ("--batch", "--steps"), steps)
    for norm, flag in (("linf", "--epsilon"), ("l2", "--epsilon-l2")):
        if norm not in options.norm:
            refuse_void(options, (flag,), f"{flag} is a radius in {norm}, which --norm leaves out")
    if options.epsilon_l2 is not None and not 0 < options.epsilon_l2 < float("inf"):
        raise UsageError(f"--epsilon-l2 must be above 0; it is {options.epsilon_l2:g}")


def strength_cases(
    options: argparse.Namespace, name: str, model: BenchmarkModel, on_case: OnCase
) -> None:
    """Measure the cases of one classifier, by norm and aim; progress goes to standard error.

    ``on_case`` gets each of them after each of its comparisons.
    """
    classifier = model.classifier
    images, labels = _images(options, classifier)
    radii = dict(zip(("linf", "l2"), EPSILONS.get(name, OTHER_EPSILONS), strict=True))
    chosen = {"linf": options.epsilon, "l2": options.epsilon_l2}
    for norm in dict.fromkeys(options.norm):
        epsilon = radii[norm] if chosen[norm] is None else chosen[norm]
        for aim in dict.fromkeys(options.aim):
            setting = Setting(epsilon, norm=norm, targeted=aim == "targeted")
            title = f"{name}, {_threat(setting)}"
            measure_strength(
                classifier,
                images,
                labels,
                setting,
                rounds=options.rounds,
                baseline_steps=options.peer_steps,
                baselines=BASELINES,
                precision=options.precision,
                on_done=lambda what, title=title: print(f"{title}: {what}", file=sys.stderr),  # type: ignore[misc]
                on_case=lambda case: on_case(replace(case, model=name)),
            )


def _images(options: argparse.Namespace, classifier: Classifier) -> tuple[Tensor, Tensor]:
    """Images float32 [N, 3, H, W] in [0, 1] and their labels int64 [N]."""
    if options.data is None:
        return gallery_images(classifier, min(options.limit, len(samples(classifier.gallery))))
    data = read_source(options.data, classifier, options.limit)
    return data.images.float() / 255, data.labels


def strength_values(case: StrengthCase) -> dict[str, Any]:
    """The case for JSON; what was not reached is null."""
    setting = case.setting
    return {
        "model": case.model,
        "norm": setting.norm,
        "epsilon": setting.epsilon,
        "targeted": setting.targeted,
        "images": case.images,
        "precision": case.precision,
        "ours": {
            rule: [{"steps": steps, **asdict(each)} for steps, each in curve.items()]
            for rule, curve in case.curves.items()
        },
        "peers": [_comparison_values(each) for each in case.comparisons],
    }


def _comparison_values(comparison: Comparison) -> dict[str, Any]:
    if comparison.problem:
        keys = ("name", "steps", "problem")
        return {key: getattr(comparison, key) for key in keys}
    values = asdict(comparison)
    del values["problem"]
    return values


def strength_lines(case: StrengthCase, source: str) -> list[str]:
    """The case as a table."""
    return [
        "",
        f"{case.model}, {_threat(case.setting)}: {case.images} images of {source}, "
        f"{case.precision}",
        *(f"  ours, {rule}: {_curve(curve)}" for rule, curve in case.curves.items()),
        _ROW.format(*_COLUMNS),
        *(line for each in case.comparisons for line in _comparison_lines(each)),
    ]


def _curve(curve: dict[int, Strength]) -> str:
    points = (f"{steps}: {_loss(each)} ({percent(each.success)})" for steps, each in curve.items())
    return f"mean loss (success) after steps {', '.join(points)}"


def _comparison_lines(comparison: Comparison) -> list[str]:
    """The other attack, and ours by each rule."""
    theirs = comparison.strength
    if theirs is None:
        return [f"  {comparison.name:13} {comparison.steps:>9} {comparison.problem}"]
    first = (comparison.name, str(comparison.steps), _loss(theirs), percent(theirs.success))
    return [
        _ROW.format(*first, f"{comparison.seconds:.2f}", ""),
        *(_reached_line(rule, ours) for rule, ours in comparison.ours.items()),
    ]


def _reached_line(rule: str, ours: Reached) -> str:
    return _ROW.format(
        f"  ours, {rule}",
        f"over {MOST_STEPS}" if ours.steps is None else str(ours.steps),
        _loss(ours.strength),
        percent(ours.strength.success),
        f"{ours.seconds:.2f}",
        f"{ours.ratio:.1f}",
    )


def _loss(strength: Strength) -> str:
    return f"{strength.loss:.4f}"


def _threat(setting: Setting) -> str:
    norm = "L∞" if setting.norm == "linf" else "L2"
    aim = "targeted" if setting.targeted else "untargeted"
    return f"{norm} ε = {format_epsilon(setting.epsilon, setting.norm)}, {aim}"
