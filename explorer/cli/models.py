"""``models``: the catalogue."""

from __future__ import annotations

import argparse

from explorer.classifiers import Entry, catalogue
from explorer.cli.common import print_json


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("models", help="list the classifiers: name, data, training, accuracy, size, place")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    entries = catalogue(torchvision=True)
    if options.json:
        print_json({"models": [_values(entry) for entry in entries]})
        return 0
    rows = [("name", "data", "training", "accuracy", "size", "where")] + [_row(entry) for entry in entries]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + "  " + row[5])
    return 0


def _values(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name, "title": entry.title, "data": entry.data, "training": entry.training, "robust": entry.robust,
        "parameters": entry.parameters, "bytes": entry.bytes, "accuracy": entry.accuracy, "where": str(entry.where),
        "available": entry.available,
    }  # fmt: skip


def _row(entry: Entry) -> tuple[str, ...]:
    accuracy = "" if entry.accuracy is None else f"{entry.accuracy:.1%}"
    size = "" if entry.bytes is None else f"{entry.bytes / 1e6:.1f} MB"
    where = str(entry.where) if entry.available else f"not here yet; would be fetched to {entry.where}"
    return entry.name, entry.data, entry.training, accuracy, size, where
