"""``models``: list the classifiers, or fetch the weights of one."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from explorer.classifiers import Entry, catalogue
from explorer.classifiers.downloads import fetch_with_bar
from explorer.classifiers.user_models import user_entries
from explorer.cli.common import print_json

_HEADER = ("name", "data", "training", "accuracy", "under attack", "size", "where")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "models",
        help="list the classifiers with data, training, accuracy, size and place, or fetch one",
    )
    parser.add_argument(
        "--fetch",
        metavar="NAME",
        help="download the published weights of this classifier unless they are here",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.fetch is not None:
        return _fetch(options.fetch, options.json)
    entries = (*catalogue(torchvision=True), *user_entries())
    if options.json:
        print_json({"models": [_values(entry) for entry in entries]})
        return 0
    rows = [_HEADER] + [_row(entry) for entry in entries]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[-1] = 0  # no spaces at the end of a line
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    return 0


def _fetch(name: str, as_json: bool) -> int:
    path = fetch_with_bar(name)
    if as_json:
        print_json({"name": name, "where": str(path)})
    else:
        print(f"{name} is in {path}")
    return 0


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
    accuracy = "" if entry.accuracy is None else f"{entry.accuracy:.1%}"
    robust = "; ".join(f"{each.value:.1%} ({each.text})" for each in entry.robust_accuracy)
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
