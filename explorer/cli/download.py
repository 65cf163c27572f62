"""``download``: torchvision's CIFAR-10, for ``--data cifar10``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from explorer.cli.common import print_json
from explorer.files import data_folder


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", help="the folder (default: EXPLORER_DATA, or data in the working directory)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from explorer.datasets.cifar10 import download_cifar10  # which imports torch

    folder = Path(options.out) if options.out else data_folder()
    with tqdm(unit="B", unit_scale=True, desc="CIFAR-10", file=sys.stderr, disable=None) as bar:

        def show_progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        folder = download_cifar10(folder, show_progress)
    if options.json:
        print_json({"folder": str(folder)})
    else:
        print(f"CIFAR-10 is in {folder}")
    return 0
