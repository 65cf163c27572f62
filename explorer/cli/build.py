"""``build``: make one of the four constructed sets, alone or under torchrun; started again, it goes on."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from typing import Self

import torch
from tqdm import tqdm

from explorer.attacks.pgd import PRECISIONS
from explorer.classifiers import load
from explorer.cli.common import UsageError, print_json, writable_folder
from explorer.datasets.constructed.build import BuildProgress, build
from explorer.datasets.constructed.constructions import (
    CONSTRUCTIONS,
    IMAGE,
    NOISE,
    NOISE_STEPS,
    Construction,
)
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.near_duplicates import exclude_near_duplicates
from explorer.datasets.sources import read_source


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "build", help="build D_R, D_NR, D_rand or D_det (Ilyas et al. 2019) with a classifier"
    )
    parser.add_argument(
        "--set", required=True, choices=tuple(CONSTRUCTIONS), help="which construction"
    )
    parser.add_argument("--model", required=True, help="robust for d_r, standard for the others")
    parser.add_argument("--weights", help="a local .safetensors or .pth state dict")
    parser.add_argument(
        "--data", required=True, help="FILE.parquet, a FOLDER, cifar10 or cifar10:train"
    )
    parser.add_argument(
        "--out", required=True, help="the set's own folder; a stopped job goes on there"
    )
    parser.add_argument(
        "--steps",
        type=int,
        help="default: the paper's (1000 for d_r and d_nr, 10000 from noise, else 100)",
    )
    parser.add_argument(
        "--step-size", type=float, help="L2 length of a step (default: the paper's 0.1)"
    )
    parser.add_argument(
        "--last-step-size",
        type=float,
        help="of d_r and d_nr: steps shrink evenly to this length (default: they do not)",
    )
    parser.add_argument(
        "--epsilon", type=float, help="L2 radius for d_rand and d_det (default: the paper's 0.5)"
    )
    parser.add_argument(
        "--start",
        choices=(IMAGE, NOISE),
        help="what d_r and d_nr begin at (default: a random image)",
    )
    parser.add_argument("--limit", type=int, help="only from the first N images")
    parser.add_argument(
        "--without",
        help="a Parquet file with images to keep out, found again also after re-compression",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the climb (default: the quicker one)",
    )
    parser.add_argument(
        "--device",
        default="auto",
        help="auto, cpu or cuda; under torchrun each rank takes its own GPU",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    construction = _construction(options)
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit must be at least 1; it is {options.limit}")
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    folder = writable_folder(options.out)
    classifier = load(options.model, options.weights, _device(options.device))
    data = read_source(options.data, classifier)
    if options.without:
        data = exclude_near_duplicates(data, read_source(options.without, classifier).images)
    plan = make_plan(
        construction,
        classifier,
        data,
        source=options.data,
        rows=range(len(data))[: options.limit],
        seed=options.seed,
        precision=options.precision,
    )
    plan = load_or_write_plan(plan, folder, automatic=options.precision == "auto")
    with _Report(construction.title, rank, world) as report:
        complete = build(plan, classifier, data, folder, rank=rank, world=world, report=report)
    if options.json:
        print_json(
            {
                "set": construction.name,
                "rows": len(plan.rows),
                "rank": rank,
                "complete": complete,
                "out": str(folder),
            }
        )
    else:
        print(
            f"{construction.title}: {'complete' if complete else 'this rank is done, others are not yet'}, in {folder}"
        )
    return 0


class _Report:
    """Progress with a rate and a time left on standard error: a bar on a terminal, else a line now and then."""

    EVERY = 30.0  # seconds between lines

    def __init__(self, title: str, rank: int, world: int) -> None:
        self.title = title if world == 1 else f"{title}, rank {rank} of {world}"
        self.bar = tqdm(unit="image", desc=self.title, position=rank, file=sys.stderr, disable=None)
        self.said = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def __call__(self, progress: BuildProgress) -> None:
        if progress.note:
            self.bar.write(progress.note, file=sys.stderr)
        if self.bar.disable:
            self._say(progress)
            return
        self.bar.total = progress.total
        if not progress.rate:  # found from an earlier start: they say nothing of the rate
            self.bar.initial = self.bar.n = progress.done
        self.bar.update(progress.done - self.bar.n)

    def _say(self, progress: BuildProgress) -> None:
        now = time.monotonic()
        if now - self.said < self.EVERY and progress.done < progress.total:
            return
        self.said = now
        pace = (
            f", {progress.rate:.2f} images/s, {tqdm.format_interval(progress.seconds_left)} left"
            if progress.rate
            else ""
        )
        print(f"{self.title}: {progress.done} of {progress.total} images{pace}", file=sys.stderr)


def _construction(options: argparse.Namespace) -> Construction:
    chosen = CONSTRUCTIONS[options.set]
    if options.start is not None:
        if not chosen.matches:
            raise UsageError(f"{options.set} begins at the image itself; leave --start out")
        chosen = replace(
            chosen,
            start=options.start,
            steps=NOISE_STEPS if options.start == NOISE else chosen.steps,
        )
    if options.last_step_size is not None and not chosen.matches:
        raise UsageError(
            f"{options.set} is an attack with steps of one length; leave --last-step-size out"
        )
    if options.epsilon is not None:
        if chosen.matches:
            raise UsageError(
                f"{options.set} has no epsilon: representation matching is not bounded; leave --epsilon out"
            )
        chosen = replace(chosen, epsilon=options.epsilon)
    if options.steps is not None:
        chosen = replace(chosen, steps=options.steps)
    if options.step_size is not None:
        chosen = replace(chosen, step_size=options.step_size)
    return replace(chosen, last_step_size=options.last_step_size)


def _device(wanted: str) -> str:
    """Under torchrun each rank of a machine takes the GPU of its number."""
    local = os.environ.get("LOCAL_RANK")
    if local is None or wanted == "cpu" or not torch.cuda.is_available():
        return wanted
    return f"cuda:{int(local) % torch.cuda.device_count()}"
