"""``gallery``: the sample pictures that every command with a picture takes by their names."""

from __future__ import annotations

import argparse

from explorer.cli.common import print_json
from explorer.images.gallery import KINDS, Sample, samples
from explorer.images.open import GALLERY_PREFIX


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    pictures = {each.key: each for kind in KINDS for each in samples(kind)}
    if options.json:
        print_json({"pictures": [_values(each) for each in pictures.values()]})
        return 0
    names = [GALLERY_PREFIX + key for key in pictures]
    width = max(map(len, names), default=0)
    for name, each in zip(names, pictures.values(), strict=True):
        print(f"{name:<{width}}  {each.title}  ({each.credit})")
    return 0


def _values(picture: Sample) -> dict[str, object]:
    return {
        "name": GALLERY_PREFIX + picture.key,
        "title": picture.title,
        "for": [kind for kind in KINDS if picture.key in {each.key for each in samples(kind)}],
        "credit": picture.credit,
        "path": str(picture.path),
    }
