"""``bench``: the speed of the attack, beside other libraries and beside the machine's limit."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from explorer.benchmarks.baselines import BASELINES, MODULE_FORMS, Setting
from explorer.benchmarks.catalogue import CatalogueRow
from explorer.benchmarks.flops import matrix_peaks
from explorer.benchmarks.memory import measure_memory
from explorer.benchmarks.models import DEFAULT_MODELS, BenchmarkModel, load_model
from explorer.benchmarks.scaling import measure_costs
from explorer.benchmarks.speed import measure
from explorer.benchmarks.strength import StrengthCase
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli import whole_numbers
from explorer.cli.benchmark_catalogue import (
    CATALOGUE_BATCHES,
    CATALOGUE_ROUNDS,
    add_catalogue_options,
    catalogue_models,
    catalogue_rows,
    check_catalogue,
    print_catalogue,
)
from explorer.cli.benchmark_output import (
    RANDOM,
    CaseResult,
    ScalingResult,
    StrengthResult,
    machine_line,
    machine_values,
    print_cases,
    print_scaling,
    print_strength,
)
from explorer.cli.benchmark_strength import (
    GALLERY,
    STRENGTH_MODELS,
    add_strength_options,
    check_strength,
    strength_cases,
)
from explorer.cli.common import UsageError, number
from explorer.cli.given import refuse_void
from explorer.cli.rows import Rows
from explorer.engine import PRECISIONS
from explorer.files import shared_folder

EPSILON = 4 / 255


def add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    libraries = ", ".join(baseline.name for baseline in BASELINES)
    add("--peers", action="store_true", help=f"measure also {libraries}, if they are installed")
    add(
        "--peers-get",
        choices=MODULE_FORMS,
        default="plain",
        help="give them the network as torchvision does (plain, the default) or as we do (frozen)",
    )
    add(
        "--scaling",
        action="store_true",
        help="measure what more ε, restarts, steps, images or pixels cost, and the memory",
    )
    add("--model", action="append", help=f"may be repeated (default {' '.join(DEFAULT_MODELS)})")
    add("--weights", help="a local .safetensors or .pth state dict, for a single --model")
    add(
        "--batch",
        type=whole_numbers.batch,
        nargs="+",
        help="batch sizes (default 1 8 128; 1 8 with --catalogue)",
    )
    add_strength_options(parser)
    add_catalogue_options(parser)
    add("--epsilon", type=number, help="L∞ radius in pixels of [0, 1] (default 4/255)")
    add("--steps", type=whole_numbers.steps, default=10, help="PGD steps (default 10)")
    add(
        "--rounds",
        type=whole_numbers.rounds,
        help="interleaved rounds that count, after one that does not (default 7; 1 with "
        "--to-strength, 2 with --catalogue)",
    )
    add(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of our gradients (default: the fastest on this machine)",
    )
    add("--device", default=AUTO, help=DEVICE_HELP)
    add(
        "--threads",
        type=whole_numbers.threads,
        help="CPU threads for all libraries (default: torch's choice)",
    )
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.rounds is None:
        options.rounds = 1 if options.to_strength else CATALOGUE_ROUNDS if options.catalogue else 7
    if options.batch is None:
        options.batch = CATALOGUE_BATCHES if options.catalogue else [1, 8, 128]
    names = options.model or list(STRENGTH_MODELS if options.to_strength else DEFAULT_MODELS)
    _check(options, names)
    threads_before = torch.get_num_threads()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    try:
        if options.catalogue:
            _run_catalogue(options)
        elif options.to_strength:
            _run_strength(options, names)
        elif options.scaling:
            _run_scaling(options, names)
        else:
            _run_cases(options, names)
    finally:
        torch.set_num_threads(threads_before)
    return 0


def _check(options: argparse.Namespace, names: list[str]) -> None:
    check_strength(options)
    check_catalogue(options)
    if options.epsilon is not None and not 0 < options.epsilon <= 1:
        raise UsageError(
            f"--epsilon must be above 0 and at most 1, which is 255/255; it is {options.epsilon:g}"
        )
    if options.weights is not None and len(names) != 1:
        raise UsageError("--weights belongs to one --model; name that model alone")
    if options.weights is not None and not Path(options.weights).is_file():
        raise UsageError(f"there is no file {options.weights}")
    if options.peers and options.scaling:
        raise UsageError("--scaling measures our attack alone; leave --peers out, or run twice")
    if options.to_strength and (options.peers or options.scaling):
        raise UsageError("--to-strength is a measurement of its own; run bench twice")
    if not options.peers:
        refuse_void(options, ("--peers-get",), "without --peers no other library is measured")
    if options.scaling:
        refuse_void(options, ("--precision",), "--scaling measures the precision auto")


def _load(options: argparse.Namespace, name: str) -> BenchmarkModel:
    weights = None if options.weights is None else Path(options.weights)
    model = load_model(name, weights, options.device, shared_folder())
    print(f"{name}: {RANDOM if model.random else 'loaded'}", file=sys.stderr)
    return model


def _run_cases(options: argparse.Namespace, names: list[str]) -> None:
    baselines, setting = (BASELINES if options.peers else ()), _setting(options)
    form = f", the other libraries get the {options.peers_get} network" if baselines else ""
    attack = f"L∞ ε = {255 * setting.epsilon:g}/255, {setting.steps} steps"
    title = f"{attack}, {options.rounds} rounds{form}"
    peaks: dict[str, float] = {}

    def show(results: list[CaseResult], part: str | None) -> None:
        print_cases(results, peaks, title, options.json, part)

    with Rows(len(names) * len(options.batch), show) as rows:
        for name in names:
            model = _load(options, name)
            peaks.update(peaks or matrix_peaks(model.classifier.device))
            for batch in options.batch:
                case = measure(
                    model.classifier,
                    batch,
                    setting,
                    options.rounds,
                    baselines=baselines,
                    form=options.peers_get,
                    precision=options.precision,
                    peaks=peaks,
                )
                rows.put((name, batch), CaseResult(replace(case, model=name), model.random))
                print(f"{name}, batch {batch}: done", file=sys.stderr)


def _run_scaling(options: argparse.Namespace, names: list[str]) -> None:
    setting = _setting(options)

    def show(results: list[ScalingResult], part: str | None) -> None:
        print_scaling(results, options.json, part)

    with Rows(len(names), show) as rows:
        for name in names:
            model = _load(options, name)
            # Memory first: later the process has free pages, which a batch could use unnoticed.
            memory = measure_memory(model.classifier, setting, options.batch)
            costs = measure_costs(model.classifier, setting, options.rounds, options.batch)
            rows.put(name, ScalingResult(name, model.random, costs, memory))


def _run_strength(options: argparse.Namespace, names: list[str]) -> None:
    def show(results: list[StrengthResult], part: str | None) -> None:
        print_strength(results, options.data or GALLERY, options.json, part)

    with Rows(len(names) * len(set(options.norm)) * len(set(options.aim)), show) as rows:
        for name in names:
            model = _load(options, name)

            def put(case: StrengthCase, random: bool = model.random) -> None:
                threat = (case.model, case.setting.norm, case.setting.targeted)
                rows.put(threat, StrengthResult(case, random))

            strength_cases(options, name, model, put)


def _run_catalogue(options: argparse.Namespace) -> None:
    setting = _setting(options)
    steps = f"{setting.steps} steps, {options.rounds} rounds, L∞ ε = {255 * setting.epsilon:g}/255"

    def show(results: list[CatalogueRow], part: str | None) -> None:
        title = f"{machine_line()}; {steps}"
        print_catalogue(results, machine_values(), title, options.json, part)

    with Rows(len(catalogue_models(options)), show) as rows:
        for row in catalogue_rows(options, setting, partial(_load, options)):
            rows.put(row.model, row)


def _setting(options: argparse.Namespace) -> Setting:
    epsilon = EPSILON if options.epsilon is None else options.epsilon
    return Setting(epsilon, options.steps)
