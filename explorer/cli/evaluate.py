"""``evaluate``: accuracy of a classifier under attack, on labelled images, also under torchrun."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tqdm import tqdm

from explorer.attacks import PGD, Threat
from explorer.attacks.settings import PLAIN
from explorer.classifiers import Classifier, load
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli import whole_numbers
from explorer.cli.common import (
    UsageError,
    add_model_options,
    draws_starts,
    number,
    print_caveats,
    print_json,
    print_warnings,
)
from explorer.cli.data_options import (
    SOURCES,
    add_column_options,
    column_names,
    print_notes,
)
from explorer.cli.given import note_void, refuse_void
from explorer.datasets.labelled import LabelledImages
from explorer.engine import PRECISIONS, gradient_model
from explorer.experiments.effort import EFFORTS, QUICK_STEPS, STEPS_OF, THOROUGH
from explorer.experiments.effort import RULE as EFFORT_RULE
from explorer.experiments.evaluation.auto_attack import (
    ATTACKS,
    SQUARE,
    STEPS,
    AutoAttack,
    auto_attack_accuracy,
    library_version,
)
from explorer.experiments.evaluation.robust_accuracy import AccuracyRow, robust_accuracy
from explorer.experiments.one_image.attack_image import versions
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.image_set import GALLERY, read_image_sets
from explorer.experiments.trust import (
    Caveat,
    Evidence,
    TrustCheck,
    caveats_of,
    check_sample,
    gradient_free_caveat,
    warnings_json,
)
from explorer.figures.captions import count_of, percent
from explorer.ranks import Ranks, connected_ranks, rank_device

PGD_NAME, AUTO_ATTACK = "pgd", "autoattack"
PGD_STEPS = 20


def add(parser: argparse.ArgumentParser) -> None:
    add_model_options(parser)
    parser.add_argument(
        "--data",
        required=True,
        help=f"{GALLERY}, {SOURCES} or cifar10:train",
    )
    add_column_options(parser)
    parser.add_argument(
        "--norm", choices=("linf", "l2"), default="l2", help="of the change (default l2)"
    )
    parser.add_argument(
        "--epsilon",
        type=number,
        nargs="+",
        required=True,
        help="one or more largest norms of the change: 0 0.25 0.5, or 0 4/255",
    )
    parser.add_argument(
        "--attack",
        choices=(PGD_NAME, *ATTACKS),
        default=PGD_NAME,
        help="pgd; apgd, of pyautoattack; autoattack, all four of its attacks, which takes long "
        "(default pgd)",
    )
    parser.add_argument(
        "--steps", type=whole_numbers.steps, help="of PGD (default 20) or APGD (default 100)"
    )
    parser.add_argument(
        "--effort",
        choices=EFFORTS,
        help=f"of PGD, in place of --steps: quick, {QUICK_STEPS} steps with momentum, or thorough, "
        "which goes on with other objectives and starts where PGD fails",
    )
    parser.add_argument("--restarts", type=whole_numbers.restarts, help="random starts (default 1)")
    parser.add_argument("--limit", type=whole_numbers.count, help="use only the first N images")
    parser.add_argument(
        "--seed", type=whole_numbers.seed, default=0, help="of the random starts (default 0)"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of PGD's gradients (default: the fastest on this machine)",
    )
    parser.add_argument("--device", default=AUTO, help=DEVICE_HELP)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.attack == AUTO_ATTACK and (options.steps, options.restarts) != (None, None):
        raise UsageError("AutoAttack has its own steps and restarts; leave out those options")
    if options.effort is not None and options.attack != PGD_NAME:
        raise UsageError("--effort belongs to PGD; leave out --effort, or --attack")
    if options.effort is not None and options.steps is not None:
        raise UsageError("--effort stands for a number of steps; leave out --steps, or --effort")
    if options.attack != PGD_NAME and options.precision != "float32":
        refuse_void(options, ("--precision",), f"the gradients of {options.attack} are in float32")
    for epsilon in options.epsilon:
        Threat(options.norm, epsilon)  # refuses a wrong radius before anything is loaded
    _pgd(options, options.precision)  # and other settings
    with connected_ranks() as ranks:
        return _evaluate(options, ranks)


@dataclass(frozen=True)
class _Outcome:
    """The rows, the reasons to doubt them, and how many images each attack of AutoAttack fooled."""

    rows: list[AccuracyRow]
    caveats: tuple[Caveat, ...]
    fooled: dict[str, int] | None = None


def _evaluate(options: argparse.Namespace, ranks: Ranks) -> int:
    classifier = load(options.model, options.weights, rank_device(options.device))
    named = column_names(options)
    data = read_image_sets(options.data, [classifier], options.limit, named)[0].data
    asked = options.precision if options.attack == PGD_NAME else "float32"
    precision = gradient_model(classifier, asked)[1]
    ranks.check_same("classifier", (classifier.digest, precision))
    ranks.check_same("images", data.digest)
    hidden = None if ranks.is_first else True
    with tqdm(total=len(data), unit="image", file=sys.stderr, disable=hidden) as bar:
        measure = _under_pgd if options.attack == PGD_NAME else _under_auto_attack
        attack = _pgd(options, precision)
        outcome = measure(
            options, classifier, data, attack, ranks, lambda done, total: bar.update(done - bar.n)
        )
    if not ranks.is_first:
        return 0
    if options.attack == PGD_NAME and not draws_starts(attack, options.effort):
        note_void(options, ("--seed",), "this attack begins at the images themselves")
    print_warnings(classifier)
    print_notes(data)
    print_caveats(outcome.caveats)
    if precision != options.precision != "auto":
        print(f"note: the gradients are in {precision}, not {options.precision}", file=sys.stderr)
    if options.json:
        print_json(_values(options, classifier, len(data), precision, outcome))
    else:
        print(_title(options, len(data)))
        for row in outcome.rows:
            print(_line(row, options.norm))
    return 0


def _under_pgd(
    options: argparse.Namespace,
    classifier: Classifier,
    data: LabelledImages,
    attack: PGD,
    ranks: Ranks,
    on_batch: Callable[[int, int], None],
) -> _Outcome:
    check = TrustCheck(classifier)
    rows = robust_accuracy(
        classifier,
        data.images,
        data.labels,
        options.norm,
        options.epsilon,
        steps=attack.steps,
        restarts=attack.restarts,
        seed=attack.seed,
        precision=attack.precision,
        rule=attack.rule,
        effort=options.effort or "",
        ranks=ranks,
        on_batch=on_batch,
        on_attack=check.add,
    )
    evidence = sum(ranks.gather(check.evidence), Evidence())
    return _Outcome(rows, caveats_of(evidence, classifier))


def _under_auto_attack(
    options: argparse.Namespace,
    classifier: Classifier,
    data: LabelledImages,
    attack: PGD,
    ranks: Ranks,
    on_batch: Callable[[int, int], None],
) -> _Outcome:
    """APGD or AutoAttack; PGD at the largest ε is only asked whether the figure can be trusted."""
    caveats = check_sample(classifier, data.images, data.labels, attack)
    result = auto_attack_accuracy(
        classifier,
        data.images,
        data.labels,
        AutoAttack(
            options.norm,
            ATTACKS[options.attack],
            steps=_steps(options),
            restarts=options.restarts or 1,
            seed=options.seed,
        ),
        options.epsilon,
        ranks=ranks,
        on_batch=on_batch,
    )
    by_square = gradient_free_caveat(result.fooled.get(SQUARE, 0), len(data))
    if by_square is not None:
        caveats = (by_square, *caveats)
    return _Outcome(result.rows, caveats, result.fooled)


def _pgd(options: argparse.Namespace, precision: str) -> PGD:
    """PGD with the options' settings at the largest ε."""
    return PGD(
        Threat(options.norm, max(options.epsilon)),
        steps=PGD_STEPS if options.attack == AUTO_ATTACK else _steps(options),
        restarts=1 if options.restarts is None else options.restarts,
        seed=options.seed,
        rule=PLAIN if options.effort is None else EFFORT_RULE,
        precision=precision,
    )


def _steps(options: argparse.Namespace) -> int:
    if options.steps is not None:
        return int(options.steps)
    if options.effort is not None:
        return STEPS_OF[options.effort]
    return PGD_STEPS if options.attack == PGD_NAME else STEPS


def _values(
    options: argparse.Namespace,
    classifier: Classifier,
    count: int,
    precision: str,
    outcome: _Outcome,
) -> dict[str, object]:
    keys = ("epsilon", "accuracy", "low", "high")
    by_attack = {} if outcome.fooled is None else {"fooled": outcome.fooled}
    return {
        "model": options.model,
        "n": count,
        "threat": _threat(options),
        "attack": options.attack,
        "effort": options.effort,
        "seed": options.seed,
        "precision": precision,
        "versions": versions() | ({} if outcome.fooled is None else library_version()),
        "warnings": warnings_json(outcome.caveats, classifier.notes),
        "rows": [{key: getattr(row, key) for key in keys} for row in outcome.rows],
        **by_attack,
    }


def _title(options: argparse.Namespace, count: int) -> str:
    images = count_of(count, "image")
    return f"{options.model} on {images} of {options.data}: accuracy under {_threat(options)}"


def _threat(options: argparse.Namespace) -> str:
    if options.attack == AUTO_ATTACK:
        return f"{options.norm}, AutoAttack"
    steps, restarts = count_of(_steps(options), "step"), count_of(options.restarts or 1, "restart")
    thorough = f", {THOROUGH}" if options.effort == THOROUGH else ""
    return f"{options.norm}, {options.attack.upper()} {steps}, {restarts}{thorough}"


def _line(row: AccuracyRow, norm: str) -> str:
    epsilon = format_epsilon(row.epsilon, norm)
    return (
        f"  ε = {epsilon:>8}  {percent(row.accuracy):>8}   95 % interval {percent(row.low)} to "
        f"{percent(row.high)}"
    )
