"""``bench``: how quick the attack is, beside other libraries and beside the machine's limit."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from explorer.attacks.pgd import PRECISIONS
from explorer.benchmarks.baselines import BASELINES, MODULES, Setting
from explorer.benchmarks.models import DEFAULT, BenchmarkModel, subject
from explorer.benchmarks.scaling import Cost, Memory, costs, memory
from explorer.benchmarks.speed import Case, Measured, matrix_peaks, measure
from explorer.cli.common import UsageError, number, print_json
from explorer.files import shared_folder

RANDOM = (
    "random weights, as none are on this machine: the times hold, success and loss mean nothing"
)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "bench", help="measure the attack's speed and strength, beside other libraries with --peers"
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help=f"measure {', '.join(peer.name for peer in BASELINES)} too, as far as installed",
    )
    parser.add_argument(
        "--peers-get",
        choices=MODULES,
        default="plain",
        help="the network as torchvision hands it out, or as we load it",
    )
    parser.add_argument(
        "--scaling",
        action="store_true",
        help="cost against ε, restarts, steps, batch and size, and memory, without peers",
    )
    parser.add_argument(
        "--model", action="append", help=f"may be repeated (default {' '.join(DEFAULT)})"
    )
    parser.add_argument(
        "--weights", help="a local .safetensors or .pth state dict, for one --model"
    )
    parser.add_argument(
        "--batch", type=int, nargs="+", default=[1, 8, 128], help="batch sizes (default 1 8 128)"
    )
    parser.add_argument(
        "--epsilon",
        type=number,
        default=4 / 255,
        help="L∞ radius in pixels of [0, 1] (default 4/255)",
    )
    parser.add_argument("--steps", type=int, default=10, help="PGD steps (default 10)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=7,
        help="interleaved rounds that count, after one that does not (default 7)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of our climb (default: the quicker)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--threads", type=int, help="CPU threads for everybody (default: torch's own choice)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    names = options.model or list(DEFAULT)
    _check(options, names)
    before = torch.get_num_threads()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    try:
        return _scaling(options, names) if options.scaling else _cases(options, names)
    finally:
        torch.set_num_threads(before)


def _check(options: argparse.Namespace, names: list[str]) -> None:
    given = {
        "--batch": min(options.batch),
        "--rounds": options.rounds,
        "--steps": options.steps,
        "--threads": options.threads,
    }
    for flag, value in given.items():
        if value is not None and value < 1:
            raise UsageError(f"{flag} must be at least 1; it is {value}")
    if not 0 < options.epsilon <= 1:
        raise UsageError(
            f"--epsilon must be above 0 and at most 1, in pixels of [0, 1]; it is {options.epsilon:g}"
        )
    if options.weights is not None and len(names) != 1:
        raise UsageError("--weights belongs to one --model; name that model alone")
    if options.weights is not None and not Path(options.weights).is_file():
        raise UsageError(f"there is no file {options.weights}")
    if options.peers and options.scaling:
        raise UsageError("--scaling measures our attack alone; leave --peers out, or run twice")


def _subject(options: argparse.Namespace, name: str) -> BenchmarkModel:
    weights = None if options.weights is None else Path(options.weights)
    found = subject(name, weights, options.device, shared_folder())
    print(f"{name}: {RANDOM if found.random else 'loaded'}", file=sys.stderr)
    return found


def _cases(options: argparse.Namespace, names: list[str]) -> int:
    peers, setting = BASELINES if options.peers else (), Setting(options.epsilon, options.steps)
    peaks: dict[str, float] = {}
    found: list[tuple[Case, bool]] = []
    for name in names:
        chosen = _subject(options, name)
        peaks = peaks or matrix_peaks(chosen.classifier.device)
        for batch in options.batch:
            case = measure(
                chosen.classifier,
                batch,
                setting,
                options.rounds,
                peers=peers,
                module=options.peers_get,
                precision=options.precision,
                peaks=peaks,
            )
            found.append((replace(case, model=name), chosen.random))
            print(f"{name}, batch {batch}: done", file=sys.stderr)
    if options.json:
        print_json(
            {
                "machine": _machine(),
                "peaks": peaks,
                "cases": [_values(case, random) for case, random in found],
            }
        )
        return 0
    print(
        f"{_machine_line()}; matrices reach {', '.join(f'{k} {v / 1e9:,.0f} GFLOP/s' for k, v in peaks.items())}"
    )
    whose = f", peers get the {options.peers_get} network" if peers else ""
    print(
        f"L∞ ε = {255 * setting.epsilon:g}/255, {setting.steps} steps, {options.rounds} rounds{whose}"
    )
    for case, random in found:
        print(*_lines(case, random), sep="\n")
    return 0


def _lines(case: Case, random: bool) -> list[str]:
    ours = case.measured[0]
    lines = [
        "",
        f"{case.model}, batch {case.batch}: {case.precision}, prepared in {case.prepared_in:.2f} s, "
        f"{case.flops / 1e9:,.0f} GFLOP/s, {case.flops / case.peak:.0%} of the peak"
        + (f" ({RANDOM})" if random else ""),
        f"  {'':20} {'ms a step':>10} {'times ours':>11} {'middle half':>14} {'success':>8} {'mean loss':>10}",
    ]
    return lines + [_line(each, case, ours) for each in case.measured]


def _line(each: Measured, case: Case, ours: Measured) -> str:
    if each.ratio is None:
        return f"  {each.name:20} {each.problem}"
    low, middle, high = each.ratio
    milliseconds = 1e3 * sorted(each.seconds)[len(each.seconds) // 2] / case.setting.steps
    beyond = f"  leaves the ball by {each.excess:.1e}" if each.excess > 1e-6 else ""
    spread = "" if each is ours else f"{low:.2f} to {high:.2f}"
    return f"  {each.name:20} {milliseconds:10.2f} {middle:11.2f} {spread:>14} {each.success:8.1%} {each.loss:10.3f}{beyond}"


def _values(case: Case, random: bool) -> dict[str, Any]:
    measured = [
        asdict(each) if each.ratio is not None else {"name": each.name, "problem": each.problem}
        for each in case.measured
    ]
    return asdict(case) | {
        "random_weights": random,
        "share_of_peak": case.flops / case.peak,
        "measured": measured,
    }


def _scaling(options: argparse.Namespace, names: list[str]) -> int:
    setting, found = Setting(options.epsilon, options.steps), []
    for name in names:
        chosen = _subject(options, name)
        # Memory first: afterwards the process holds pages that a batch could use unseen.
        used = memory(chosen.classifier, setting, options.batch)
        found.append(
            (
                name,
                chosen.random,
                costs(chosen.classifier, setting, options.rounds, options.batch),
                used,
            )
        )
    if options.json:
        models = [
            {
                "model": name,
                "random_weights": random,
                "costs": [asdict(each) for each in cost],
                "memory": [asdict(each) for each in used],
            }
            for name, random, cost, used in found
        ]
        print_json({"machine": _machine(), "models": models})
        return 0
    print(_machine_line())
    for name, _, cost, used in found:
        print(f"\n{name}", *map(_cost_line, cost), *map(_memory_line, used), sep="\n")
    return 0


def _cost_line(cost: Cost) -> str:
    low, middle, high = cost.ratio
    return f"  {cost.what:24} {cost.value:4g} {1e3 * cost.seconds:10.1f} ms  × {middle:6.2f}  ({low:.2f} to {high:.2f})"


def _memory_line(used: Memory) -> str:
    return (
        f"  batch {used.batch:4}: {used.peak / 2**20:8.0f} MiB at its height, {used.at_once} looked at at once, "
        f"{used.per_sample / 2**20:.1f} MiB kept for each"
    )


def _machine() -> dict[str, Any]:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": load,
        "torch": torch.__version__,
    }


def _machine_line() -> str:
    values = _machine()
    return "{cores} cores ({processor}), {threads} threads, load {load:.1f}, torch {torch}".format(
        **values
    )
