"""A small set, built in a moment from the fixtures ``tiny`` and ``pictures``."""

from __future__ import annotations

from dataclasses import fields, replace

from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.constructions import D_DET
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.constructed.read import ConstructedSet

QUICK = replace(D_DET, steps=2)
TENSORS = [
    each.name
    for each in fields(ConstructedSet)
    if each.name not in ("name", "title", "data", "about")
]


def plan_for(tiny, pictures, construction=QUICK, **options):
    options = {"precision": "float32", **options}
    return make_plan(construction, tiny, pictures, source="there", **options)


def build_in(folder, plan, tiny, pictures, **options):
    folder.mkdir(exist_ok=True)
    plan = load_or_write_plan(plan, folder, automatic=False)
    return build(plan, tiny, pictures, folder, **options)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}
