"""``build``: make one of the constructed sets, alone or under torchrun.

A build that was stopped continues with the shards that are missing.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import Self

from tqdm import tqdm

from explorer.classifiers import load
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli import whole_numbers
from explorer.cli.common import (
    UsageError,
    add_model_options,
    number,
    print_json,
    print_warnings,
    writable_folder,
)
from explorer.cli.data_options import SOURCES, add_column_options, column_names, print_notes
from explorer.cli.given import note_void
from explorer.datasets.constructed.build import BuildProgress, build
from explorer.datasets.constructed.constructions import (
    CONSTRUCTIONS,
    IMAGE,
    NEXT,
    NOISE,
    NOISE_STEPS,
    Construction,
)
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.near_duplicates import exclude_near_duplicates
from explorer.datasets.sources import read_source
from explorer.engine import PRECISIONS
from explorer.ranks import Ranks, rank_device


def add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--set", required=True, choices=tuple(CONSTRUCTIONS), help="the construction")
    add_model_options(parser, "a robust classifier for d_r, a standard one for the others")
    add("--data", required=True, help=f"{SOURCES} or cifar10:train")
    add_column_options(parser)
    add("--out", required=True, help="the set's folder; a stopped build continues there")
    add(
        "--steps",
        type=whole_numbers.construction_steps,
        help="default: the paper's (1000 for d_r and d_nr, 10000 from noise, else 100)",
    )
    add("--step-size", type=number, help="L2 length of a step (default: the paper's 0.1)")
    add(
        "--last-step-size",
        type=number,
        help="for d_r and d_nr: steps shrink evenly to this length (default: they do not)",
    )
    add("--epsilon", type=number, help="L2 radius for d_rand and d_det (default: the paper's 0.5)")
    add(
        "--start",
        choices=(IMAGE, NOISE),
        help="where d_r and d_nr begin (default: at a random image)",
    )
    add("--limit", type=whole_numbers.count, help="use only the first N images")
    add(
        "--without",
        help="a source of images to leave out; re-compressed copies of them are recognised",
    )
    add("--seed", type=whole_numbers.seed, default=0, help="of starts and targets (default 0)")
    add(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the gradients (default: the fastest on this machine)",
    )
    add(
        "--device",
        default=AUTO,
        help=f"{DEVICE_HELP}; under torchrun each rank takes its own GPU",
    )
    add("--json", action="store_true", help="print one JSON object at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    construction = _construction(options)
    ranks = Ranks.from_environment()
    rank, world = ranks.rank, ranks.world
    folder = writable_folder(options.out)
    classifier = load(options.model, options.weights, rank_device(options.device))
    print_warnings(classifier)
    data = read_source(options.data, classifier, named=column_names(options))
    if ranks.is_first:
        print_notes(data)
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
    with _ProgressReport(construction.title, rank, world) as report:
        complete = build(plan, classifier, data, folder, rank=rank, world=world, report=report)
    if options.json:
        values = {"set": construction.name, "rows": len(plan.rows), "rank": rank}
        print_json({**values, "complete": complete, "out": str(folder)})
    else:
        state = "complete" if complete else "this rank is done, others are not yet"
        print(f"{construction.title}: {state}, in {folder}")
    return 0


class _ProgressReport:
    """Progress on standard error, with the rate and the time left.

    A terminal shows a bar, anything else a line now and then.
    """

    INTERVAL = 30.0  # seconds between lines

    def __init__(self, title: str, rank: int, world: int) -> None:
        self.title = title if world == 1 else f"{title}, rank {rank} of {world}"
        self.bar = tqdm(unit="image", desc=self.title, position=rank, file=sys.stderr, disable=None)
        self.last_line = float("-inf")  # the time when it was printed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def __call__(self, progress: BuildProgress) -> None:
        if progress.note:
            self.bar.write(progress.note, file=sys.stderr)
        if self.bar.disable:
            self._print_line(progress)
            return
        self.bar.total = progress.total
        if not progress.rate:  # images of an earlier start, which say nothing of the rate
            self.bar.initial = self.bar.n = progress.done
        self.bar.update(progress.done - self.bar.n)

    def _print_line(self, progress: BuildProgress) -> None:
        now = time.monotonic()
        if now - self.last_line < self.INTERVAL and progress.done < progress.total:
            return
        self.last_line = now
        line = f"{self.title}: {progress.done} of {progress.total} images"
        if progress.rate:
            left = tqdm.format_interval(progress.seconds_left)
            line += f", {progress.rate:.2f} images/s, {left} left"
        print(line, file=sys.stderr)


def _construction(options: argparse.Namespace) -> Construction:
    """The chosen construction with the parameters of the command line."""
    name, construction = options.set, CONSTRUCTIONS[options.set]
    if construction.matches_features:
        if options.epsilon is not None:
            raise UsageError(
                f"{name} has no epsilon: representation matching is not bounded; leave --epsilon "
                "out"
            )
    elif options.start is not None:
        raise UsageError(f"{name} begins at the image itself; leave --start out")
    elif options.last_step_size is not None:
        raise UsageError(
            f"{name} is an attack with steps of one length; leave --last-step-size out"
        )
    if construction.target == NEXT:
        note_void(options, ("--seed",), f"{name} draws nothing at random")
    if options.start is not None:
        steps = NOISE_STEPS if options.start == NOISE else construction.steps
        construction = replace(construction, start=options.start, steps=steps)
    parameters = {
        key: value
        for key in ("epsilon", "steps", "step_size", "last_step_size")
        if (value := getattr(options, key)) is not None
    }
    return replace(construction, **parameters)
