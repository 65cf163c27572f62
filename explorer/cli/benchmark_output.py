"""What ``bench`` prints: JSON objects and tables of its measurements."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

import torch

from explorer.benchmarks.memory import Memory
from explorer.benchmarks.scaling import Cost
from explorer.benchmarks.speed import Case, Measurement
from explorer.benchmarks.strength import StrengthCase
from explorer.cli.benchmark_strength import strength_lines, strength_values
from explorer.cli.common import print_json
from explorer.cli.rows import marked
from explorer.engine import processor
from explorer.figures.captions import percent

RANDOM = (
    "random weights, as none are on this machine: the times hold, success and loss mean nothing"
)
_COLUMNS = ("", "ms a step", "times ours", "middle half", "success", "mean loss")
_ROW = "  {:20} {:>10} {:>11} {:>14} {:>8} {:>10}"


@dataclass(frozen=True)
class CaseResult:
    """A case, and whether its classifier has random weights."""

    case: Case
    random: bool


@dataclass(frozen=True)
class ScalingResult:
    """What attacks on one classifier cost, and whether it has random weights."""

    model: str
    random: bool
    costs: tuple[Cost, ...]
    memory: tuple[Memory, ...]


@dataclass(frozen=True)
class StrengthResult:
    """The strength of attacks on one classifier, and whether it has random weights."""

    case: StrengthCase
    random: bool


def print_cases(
    results: list[CaseResult],
    peaks: dict[str, float],
    title: str,
    as_json: bool,
    part: str | None = None,
) -> None:
    """Print the cases below ``title``, or as one JSON object; ``peaks`` by type.

    ``part`` says so if they are not all.
    """
    if as_json:
        cases = [_case_values(result) for result in results]
        values = {"machine": machine_values(), "peaks": peaks, "cases": cases}
        print_json(values | marked(part))
        return
    rates = ", ".join(f"{name} {rate / 1e9:,.0f} GFLOP/s" for name, rate in peaks.items())
    print(f"{machine_line()}; matrices reach {rates}\n{title}")
    for result in results:
        print(*_case_lines(result), sep="\n")
    print_part(part)


def print_scaling(results: list[ScalingResult], as_json: bool, part: str | None = None) -> None:
    """Print costs and memory by classifier, or as one JSON object."""
    if as_json:
        models = [
            {
                "model": result.model,
                "random_weights": result.random,
                "costs": [asdict(cost) for cost in result.costs],
                "memory": [asdict(memory) for memory in result.memory],
            }
            for result in results
        ]
        print_json({"machine": machine_values(), "models": models} | marked(part))
        return
    print(machine_line())
    for result in results:
        lines = (*map(_cost_line, result.costs), *map(_memory_line, result.memory))
        print(f"\n{result.model}", *lines, sep="\n")
    print_part(part)


def print_strength(
    results: list[StrengthResult], source: str, as_json: bool, part: str | None = None
) -> None:
    """Print what our steps reach beside other attacks on images of ``source``."""
    if as_json:
        cases = [strength_values(each.case) | {"random_weights": each.random} for each in results]
        values = {"machine": machine_values(), "data": source, "cases": cases}
        print_json(values | marked(part))
        return
    print(machine_line())
    for each in results:
        print(*strength_lines(each.case, source), sep="\n")
        if each.random:
            print(f"  {RANDOM}")
    print_part(part)


def print_part(part: str | None) -> None:
    """Print which ``part`` of all the rows are."""
    if part is not None:
        print(f"\n{part}")


def _case_values(result: CaseResult) -> dict[str, Any]:
    values = asdict(result.case)
    values["prepared_in"] = values.pop("preparation")
    values["measured"] = [
        {"name": row.name, "problem": row.problem} if row.ratio is None else asdict(row)
        for row in result.case.measurements
    ]
    del values["measurements"]
    share = result.case.flops / result.case.peak
    return values | {"random_weights": result.random, "share_of_peak": share}


def _case_lines(result: CaseResult) -> list[str]:
    case = result.case
    note = f" ({RANDOM})" if result.random else ""
    ours = case.measurements[0]
    return [
        "",
        f"{case.model}, batch {case.batch}: {case.precision}, "
        f"prepared in {case.preparation:.2f} s, "
        f"{case.flops / 1e9:,.0f} GFLOP/s, {percent(case.flops / case.peak)} of the peak{note}",
        _ROW.format(*_COLUMNS),
        *(_measurement_line(row, case, row is ours) for row in case.measurements),
    ]


def _measurement_line(row: Measurement, case: Case, is_ours: bool) -> str:
    if row.ratio is None:
        return f"  {row.name:20} {row.problem}"
    low, middle, high = row.ratio
    milliseconds = 1e3 * sorted(row.seconds)[len(row.seconds) // 2] / case.setting.steps
    line = _ROW.format(
        row.name,
        f"{milliseconds:.2f}",
        f"{middle:.2f}",
        "" if is_ours else f"{low:.2f} to {high:.2f}",
        percent(row.success),
        f"{row.loss:.3f}",
    )
    return line + (f"  leaves the ball by {row.excess:.1e}" if row.excess > 1e-6 else "")


def _cost_line(cost: Cost) -> str:
    low, middle, high = cost.ratio
    milliseconds = f"{1e3 * cost.seconds:10.1f} ms"
    quartiles = f"× {middle:6.2f}  ({low:.2f} to {high:.2f})"
    return f"  {cost.what:24} {cost.value:4g} {milliseconds}  {quartiles}"


def _memory_line(memory: Memory) -> str:
    return (
        f"  batch {memory.batch:4}: peak {memory.peak / 2**20:8.0f} MiB, {memory.at_once} images "
        f"evaluated at once, {memory.per_sample / 2**20:.1f} MiB each"
    )


def machine_values() -> dict[str, Any]:
    """What a speed depends on besides the program."""
    return {
        "processor": processor(torch.device("cpu")).name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan"),
        "torch": torch.__version__,
    }


def machine_line() -> str:
    """The same in a line."""
    values = machine_values()
    return (
        f"{values['cores']} cores ({values['processor']}), {values['threads']} threads, "
        f"load {values['load']:.1f}, torch {values['torch']}"
    )
