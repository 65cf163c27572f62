"""``evaluate``: accuracy of a classifier under attack, on labelled images, also under torchrun."""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from explorer.attacks import Threat
from explorer.classifiers import load
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli.common import (
    MAX_LIMIT,
    add_model_options,
    check_count,
    number,
    print_json,
    print_warnings,
)
from explorer.cli.data_options import (
    SOURCES,
    add_column_options,
    column_names,
    print_notes,
)
from explorer.datasets.sources import read_source
from explorer.engine import PRECISIONS, gradient_model
from explorer.experiments.evaluation.robust_accuracy import AccuracyRow, robust_accuracy
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.figures.captions import count_of
from explorer.ranks import Ranks, connected_ranks, rank_device


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("evaluate", help="robust accuracy of a classifier on a data set")
    add_model_options(parser)
    parser.add_argument(
        "--data",
        required=True,
        help=f"{SOURCES} or cifar10:train",
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
    parser.add_argument("--steps", type=int, default=20, help="PGD steps (default 20)")
    parser.add_argument("--restarts", type=int, default=1, help="random starts (default 1)")
    parser.add_argument("--limit", type=int, help="use only the first N images")
    parser.add_argument("--seed", type=int, default=0, help="of the random starts (default 0)")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the gradients (default: the fastest on this machine)",
    )
    parser.add_argument("--device", default=AUTO, help=DEVICE_HELP)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    check_count("--limit", options.limit, MAX_LIMIT)
    for epsilon in options.epsilon:
        Threat(options.norm, epsilon)  # refuses a wrong radius before anything is loaded
    with connected_ranks() as ranks:
        return _evaluate(options, ranks)


def _evaluate(options: argparse.Namespace, ranks: Ranks) -> int:
    classifier = load(options.model, options.weights, rank_device(options.device))
    data = read_source(options.data, classifier, options.limit, column_names(options))
    precision = gradient_model(classifier, options.precision)[1]
    ranks.check_same("classifier", (classifier.digest, precision))
    ranks.check_same("images", data.digest)
    hidden = None if ranks.is_first else True
    with tqdm(total=len(data), unit="image", file=sys.stderr, disable=hidden) as bar:
        rows = robust_accuracy(
            classifier,
            data.images,
            data.labels,
            options.norm,
            options.epsilon,
            steps=options.steps,
            restarts=options.restarts,
            seed=options.seed,
            precision=precision,
            ranks=ranks,
            on_batch=lambda done, total: bar.update(done - bar.n),
        )
    if not ranks.is_first:
        return 0
    print_warnings(classifier)
    print_notes(data)
    if precision != options.precision != "auto":
        print(f"note: the gradients are in {precision}, not {options.precision}", file=sys.stderr)
    if options.json:
        keys = ("epsilon", "accuracy", "low", "high")
        values = [{key: getattr(row, key) for key in keys} for row in rows]
        settings = {
            "seed": options.seed,
            "precision": precision,
            "warnings": list(classifier.notes),
        }
        print_json(
            {
                "model": options.model,
                "n": len(data),
                "threat": _threat(options),
                **settings,
                "rows": values,
            }
        )
    else:
        print(_title(options, len(data)))
        for row in rows:
            print(_line(row, options.norm))
    return 0


def _title(options: argparse.Namespace, count: int) -> str:
    images = count_of(count, "image")
    return f"{options.model} on {images} of {options.data}: accuracy under {_threat(options)}"


def _threat(options: argparse.Namespace) -> str:
    steps, restarts = count_of(options.steps, "step"), count_of(options.restarts, "restart")
    return f"{options.norm}, PGD {steps}, {restarts}"


def _line(row: AccuracyRow, norm: str) -> str:
    epsilon = format_epsilon(row.epsilon, norm)
    return (
        f"  ε = {epsilon:>8}  {row.accuracy:7.2%}   95 % interval {row.low:.2%} to {row.high:.2%}"
    )
