"""``evaluate``: accuracy under attack at several ε, with intervals."""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from explorer.classifiers import load
from explorer.cli.common import number, print_json
from explorer.datasets.sources import read_source
from explorer.errors import UserError
from explorer.experiments.evaluation.robust_accuracy import AccuracyRow, robust_accuracy
from explorer.experiments.one_image.recipe import format_epsilon


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("evaluate", help="robust accuracy of a classifier on a data set")
    parser.add_argument(
        "--model",
        required=True,
        help="a catalogue name, torchvision:ARCHITECTURE or FILE.py:FUNCTION",
    )
    parser.add_argument("--weights", help="a local .safetensors or .pth state dict")
    parser.add_argument(
        "--data",
        required=True,
        help="FILE.parquet, a FOLDER with a sub-folder per class, or cifar10",
    )
    parser.add_argument("--norm", choices=("linf", "l2"), default="l2")
    parser.add_argument(
        "--epsilon",
        type=number,
        nargs="+",
        required=True,
        help="one or more: 0 0.25 0.5, or 0 4/255",
    )
    parser.add_argument("--steps", type=int, default=20, help="PGD steps (default 20)")
    parser.add_argument("--restarts", type=int, default=1)
    parser.add_argument("--limit", type=int, help="only the first N images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.limit is not None and options.limit < 1:
        raise UserError(f"--limit must be at least 1; it is {options.limit}")
    classifier = load(options.model, options.weights, options.device)
    data = read_source(options.data, classifier, options.limit)
    with tqdm(total=len(data), unit="image", file=sys.stderr, disable=None) as bar:
        rows = robust_accuracy(
            classifier,
            data.images,
            data.labels,
            options.norm,
            options.epsilon,
            steps=options.steps,
            restarts=options.restarts,
            seed=options.seed,
            on_batch=lambda done, total: bar.update(done - bar.n),
        )
    threat = f"{options.norm}, PGD {options.steps} steps, {options.restarts} restarts"
    if options.json:
        values = [
            {"epsilon": r.epsilon, "accuracy": r.accuracy, "low": r.low, "high": r.high}
            for r in rows
        ]
        print_json({"model": options.model, "n": len(data), "threat": threat, "rows": values})
    else:
        print(f"{options.model} on {len(data)} images of {options.data}: accuracy under {threat}")
        for row in rows:
            print(_line(row, options.norm))
    return 0


def _line(row: AccuracyRow, norm: str) -> str:
    epsilon = format_epsilon(row.epsilon, norm)
    return (
        f"  ε = {epsilon:>8}  {row.accuracy:7.2%}   95 % interval {row.low:.2%} to {row.high:.2%}"
    )
