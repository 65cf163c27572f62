"""``models``: list the classifiers, fetch or add the weights of one, or try the architectures."""

from __future__ import annotations

import argparse
import gc
from dataclasses import asdict
from typing import TYPE_CHECKING

from explorer.cli.add_model import add_model, add_options, refuse_without_file
from explorer.cli.common import print_json
from explorer.cli.given import refuse_void
from explorer.cli.rows import Rows, marked
from explorer.system import return_freed_memory

# What imports torch is imported by the functions that need it: --help and mistakes don't.
if TYPE_CHECKING:
    from explorer.classifiers import Entry
    from explorer.experiments.architecture_check import ArchitectureCheck

_OTHERS = """
Other names:
  torchvision:ARCHITECTURE           any other of torchvision's classifiers
  timm:NAME, timm:hf-hub:ORG/NAME    timm's models and the Hugging Face Hub's, downloaded if need be
  cifar:ARCHITECTURE                 networks of RobustBench and MadryLab, with --weights FILE
  FILE.py:FUNCTION                   a function of yours that returns a classifier
  FILE.py:FUNCTION:probabilities     the same, if its network ends with a softmax
models --check names the architectures and tries each, and models --classes NAME lists the classes
of one."""
_HEADER = ("name", "data", "training", "accuracy", "under attack", "size", "where")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fetch",
        metavar="NAME",
        help="download the published weights of this classifier unless they are here",
    )
    parser.add_argument(
        "--check",
        nargs="*",
        metavar="ARCHITECTURE",
        help="build each with random weights and attack it with one step; without names: all "
        "that weights can be brought for",
    )
    parser.add_argument("--classes", metavar="MODEL", help="list the classes of this classifier")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.add is not None:
        others = ("--fetch", "--check", "--classes")
        refuse_void(options, others, "--add only stores a classifier; run models twice")
        return add_model(options)
    refuse_without_file(options)
    if options.fetch is not None:
        refuse_void(options, ("--check", "--classes"), "--fetch only downloads; run models twice")
        return _fetch(options.fetch, options.json)
    if options.classes is not None:
        refuse_void(options, ("--check",), "--classes only lists them; run models twice")
        return _list_classes(options.classes, options.json)
    if options.check is not None:
        return _check(options.check, options.json)
    from explorer.classifiers import catalogue
    from explorer.classifiers.user_models import user_entries

    entries = (*catalogue(torchvision=True), *user_entries())
    if options.json:
        print_json({"models": [_values(entry) for entry in entries]})
        return 0
    rows = [_HEADER] + [_row(entry) for entry in entries]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[-1] = 0  # no spaces at the end of a line
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(_OTHERS)
    return 0


def _fetch(name: str, as_json: bool) -> int:
    from explorer.classifiers.downloads import fetch_with_bar

    path = fetch_with_bar(name)
    if as_json:
        print_json({"name": name, "where": str(path)})
    else:
        print(f"{name} is in {path}")
    return 0


def _list_classes(name: str, as_json: bool) -> int:
    """Print a line for each class: its index and its name, either of which names it."""
    from explorer.classifiers import load

    labels = load(name).labels
    if as_json:
        print_json({"name": name, "classes": labels})
        return 0
    width = len(str(len(labels) - 1))
    for index, label in enumerate(labels):
        print(f"{index:>{width}}  {label}")
    return 0


def _check(names: list[str], as_json: bool) -> int:
    """Print a line for each architecture. The status is 1 if one of them failed."""
    from explorer.classifiers.architectures import architectures  # 1.8 s to import
    from explorer.experiments.architecture_check import check_architecture

    def show(checks: list[ArchitectureCheck], part: str | None) -> None:
        if as_json:
            print_json({"checks": [asdict(each) for each in checks]} | marked(part))

    names, failed = names or list(architectures()), False
    with Rows(len(names), show) as rows:
        for name in names:
            check = check_architecture(name)
            rows.put(name, check)
            failed |= bool(check.problem) and not check.skipped
            gc.collect()  # a network with its tape is full of circles
            return_freed_memory()
            if not as_json:
                print(_line(check), flush=True)
    return int(failed)


def _line(check: ArchitectureCheck) -> str:
    outcome = "skipped" if check.skipped else "failed" if check.problem else "ok"
    size, seconds = f"{check.bytes / 1e6:.0f} MB", f"{check.seconds:.1f} s"
    line = f"{check.architecture:<28}{outcome:<9}{size:>8}{seconds:>9}  {check.problem}"
    return line.rstrip()


def _values(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": entry.title,
        "group": entry.group,
        "data": entry.data,
        "training": entry.training,
        "robust": entry.robust,
        "parameters": entry.parameters,
        "bytes": entry.bytes,
        "accuracy": entry.accuracy,
        "accuracy_source": entry.accuracy_source,
        "robust_accuracy": [asdict(each) for each in entry.robust_accuracy],
        "where": str(entry.where),
        "available": entry.available,
        "remote": entry.remote.url if entry.remote else None,
    }


def _row(entry: Entry) -> tuple[str, ...]:
    from explorer.figures.captions import percent

    accuracy = "" if entry.accuracy is None else percent(entry.accuracy)
    robust = "; ".join(f"{percent(each.value)} ({each.text})" for each in entry.robust_accuracy)
    size = "" if entry.bytes is None else f"{entry.bytes / 1e6:.1f} MB"
    missing = "" if entry.available else "not here yet; would be fetched to "
    return (
        entry.name,
        entry.data,
        entry.training,
        accuracy,
        robust,
        size,
        missing + str(entry.where),
    )
