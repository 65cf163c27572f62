"""``export``: a set in the layout of MIT's release, as an image folder or a Parquet file."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.cli import whole_numbers
from explorer.cli.common import print_json

FORMAT_NAMES = ("mit", "folder", "parquet")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        required=True,
        metavar="DIR",
        help="a built set, a Parquet file, or any other set that can be read",
    )
    parser.add_argument(
        "--to",
        required=True,
        choices=FORMAT_NAMES,
        help="mit: CIFAR_ims and CIFAR_lab; folder: PNG files in a sub-folder per class",
    )
    parser.add_argument(
        "--out", required=True, help="a folder that is new or empty, or the Parquet file's name"
    )
    parser.add_argument("--limit", type=whole_numbers.count, help="use only the first N images")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from explorer.datasets.constructed.export import FORMATS  # which imports torch
    from explorer.datasets.constructed.read import read_set

    dataset, out = read_set(options.set, options.limit), Path(options.out)
    FORMATS[options.to](dataset, out)
    if options.json:
        values = {"set": dataset.name, "rows": len(dataset), "digest": dataset.digest}
        print_json({**values, "out": str(out)})
    else:
        print(f"{dataset.title}: {len(dataset)} images written to {out}")
    return 0
