"""``export``: a set in the layout of the authors' release, as an image folder, or as one Parquet file."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.cli.common import UsageError, print_json
from explorer.datasets.constructed.export import FORMS
from explorer.datasets.constructed.read import read_set


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "export", help="write a built set as MIT's release, an image folder or one Parquet file"
    )
    parser.add_argument(
        "--set",
        required=True,
        metavar="DIR",
        help="a built set, a Parquet file, or any other set that can be read",
    )
    parser.add_argument(
        "--to",
        required=True,
        choices=tuple(FORMS),
        help="mit: CIFAR_ims and CIFAR_lab; folder: PNG per class",
    )
    parser.add_argument(
        "--out", required=True, help="a folder that is new or empty, or the Parquet file's name"
    )
    parser.add_argument("--limit", type=int, help="only the first N images")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit must be at least 1; it is {options.limit}")
    found, out = read_set(options.set, options.limit), Path(options.out)
    FORMS[options.to](found, out)
    if options.json:
        print_json({"set": found.name, "rows": len(found), "digest": found.digest, "out": str(out)})
    else:
        print(f"{found.title}: {len(found)} images written to {out}")
    return 0
