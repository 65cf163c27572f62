"""``bench --catalogue``: every architecture's form for gradients, and its speed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from tqdm import tqdm

from explorer.benchmarks.baselines import Setting
from explorer.benchmarks.catalogue import (
    CatalogueLimits,
    CatalogueRow,
    catalogue_names,
    measure_row,
    try_row,
)
from explorer.benchmarks.models import BenchmarkModel
from explorer.cli.benchmark_output import print_part
from explorer.cli.common import UsageError, number, print_json
from explorer.cli.given import refuse_void
from explorer.cli.rows import marked

CATALOGUE_BATCHES, CATALOGUE_ROUNDS = [1, 8], 2


def add_catalogue_options(parser: argparse.ArgumentParser) -> None:
    limits = CatalogueLimits()
    parser.add_argument(
        "--catalogue",
        action="store_true",
        help="every bundled classifier and torchvision architecture, or those of --model: its "
        "form, what autograd computes in it, and its speed beside torchattacks",
    )
    parser.add_argument(
        "--max-gflop",
        type=number,
        default=limits.gflop,
        help="with --catalogue: leave out networks that need more for a gradient "
        f"(default {limits.gflop:g})",
    )
    parser.add_argument(
        "--max-parameters",
        type=number,
        default=limits.parameters / 1e6,
        help="with --catalogue: leave out networks with more millions of parameters "
        f"(default {limits.parameters / 1e6:g})",
    )


def check_catalogue(options: argparse.Namespace) -> None:
    """Raises :class:`UsageError` for limits that leave nothing to measure."""
    if not options.catalogue:
        refuse_void(options, ("--max-gflop", "--max-parameters"), "only --catalogue has limits")
    for flag in ("max_gflop", "max_parameters"):
        value = getattr(options, flag)
        if not value > 0:
            raise UsageError(f"--{flag.replace('_', '-')} must be above 0; it is {value:g}")
    if options.catalogue and (options.peers or options.scaling or options.to_strength):
        raise UsageError("--catalogue is a measurement of its own; run bench twice")


def catalogue_rows(
    options: argparse.Namespace, setting: Setting, load: Callable[[str], BenchmarkModel]
) -> Iterator[CatalogueRow]:
    """A row for each of :func:`catalogue_models`, when it is measured."""
    limits = CatalogueLimits(options.max_gflop, int(1e6 * options.max_parameters))
    names = catalogue_models(options)
    for name in tqdm(names, desc="measuring", unit="classifier", file=sys.stderr, disable=None):
        yield try_row(
            lambda name=name: measure_row(  # type: ignore[misc]
                name,
                load,
                setting,
                options.batch,
                options.rounds,
                options.precision,
                limits,
            ),
            name,
        )


def catalogue_models(options: argparse.Namespace) -> Sequence[str]:
    """The names of the classifiers that are measured."""
    return options.model or catalogue_names()


def print_catalogue(
    rows: list[CatalogueRow],
    machine: dict[str, object],
    title: str,
    as_json: bool,
    part: str | None = None,
) -> None:
    """Print the rows as a table of Markdown below ``title``, or as one JSON object.

    ``part`` says so if they are not all.
    """
    if as_json:
        values = {"machine": machine, "rows": [asdict(row) for row in rows]}
        print_json(values | marked(part))
        return
    batches = sorted({batch for row in rows for batch in row.milliseconds})
    columns = ["classifier", "GFLOP", "form", "by autograd"]
    columns += [f"{what}, batch {batch}" for batch in batches for what in ("ms a step", "ratio")]
    print(title, "", _line(columns), _line(["---"] * len(columns)), sep="\n")
    for row in rows:
        print(_line(_cells(row, batches)))
    print_part(part)


def _cells(row: CatalogueRow, batches: list[int]) -> list[str]:
    gflop = "" if row.gflop != row.gflop else f"{row.gflop:.3g}"
    if not row.milliseconds:
        return [row.model, gflop, row.problem, *[""] * (2 * len(batches) + 1)]
    cells = [row.model, gflop, row.precision, ", ".join(row.pieces) or "nothing"]
    for batch in batches:
        cells.append(f"{row.milliseconds[batch]:.3g}")
        cells.append(f"{row.ratio[batch][1]:.2f}" if batch in row.ratio else row.problem)
    return cells


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
