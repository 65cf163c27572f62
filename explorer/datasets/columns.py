"""Which columns of a table have the pictures and the labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from explorer.datasets.labelled import DataError
from explorer.errors import short

IMAGE_NAMES = ("img", "image")
LABEL_NAMES = ("label", "labels", "class")


@dataclass(frozen=True)
class ColumnNames:
    """The columns that a person named; None for one that is to be found."""

    image: str | None = None
    label: str | None = None


FOUND = ColumnNames()  # both are found


@dataclass(frozen=True)
class Columns:
    """The names of the two columns, and those of the classes, if the file has them."""

    image: str
    label: str
    classes: tuple[str, ...]


def find_columns(schema: pa.Schema, where: str, wanted: ColumnNames) -> Columns:
    """The columns that ``wanted`` names, or else those of Hugging Face's types Image and
    ClassLabel, of the usual names, or of the only type of column that fits.

    Raises :class:`DataError` if there are none, or several and none of a usual name.
    """
    features = _features(schema)
    image = _find(
        schema,
        where,
        wanted.image,
        _of_type(features, "Image"),
        [field.name for field in schema if _may_hold_pictures(field.type)],
        IMAGE_NAMES,
        "pictures, called img or image, or named with --image-column",
    )
    label = _find(
        schema,
        where,
        wanted.label,
        _of_type(features, "ClassLabel"),
        [field.name for field in schema if is_label(field.type) and field.name != image],
        LABEL_NAMES,
        "labels, called label, or named with --label-column",
    )
    for name in (image, label):
        if schema.names.count(name) > 1:
            raise DataError(f"{where} has several columns named {name}; keep one of them")
    return Columns(image, label, _classes(features, label))


def is_label(kind: pa.DataType) -> bool:
    """Whether values of a column's type can be labels: whole numbers or texts."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    )


def _find(
    schema: pa.Schema,
    where: str,
    wanted: str | None,
    typed: Sequence[str],
    fitting: Sequence[str],
    usual: Sequence[str],
    what: str,
) -> str:
    names = schema.names
    if wanted is not None:
        if wanted not in names:
            raise DataError(
                f"{where} has no column {short(wanted)}; it has {short(', '.join(names))}"
            )
        if wanted not in fitting:
            kind = short(schema.field(names.index(wanted)).type)
            raise DataError(
                f"the column {short(wanted)} of {where} holds no {what.partition(',')[0]}: its "
                f"type is {kind}"
            )
        return wanted
    for candidates in ([name for name in typed if name in names], list(names), list(fitting)):
        known = [name for name in usual if name in candidates]
        if known:
            return known[0]
        if len(candidates) == 1 and candidates[0] in (*typed, *fitting):
            return candidates[0]
    raise DataError(f"{where} has the columns {short(', '.join(names))}; it needs one with {what}")


def _may_hold_pictures(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        return any(_may_hold_pictures(field.type) for field in kind if field.name == "bytes")
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _features(schema: pa.Schema) -> dict[str, Any]:
    """The types of the columns as Hugging Face's ``datasets`` stores them; empty without."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _of_type(features: dict[str, Any], kind: str) -> list[str]:
    return [
        name
        for name, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == kind
    ]


def _classes(features: dict[str, Any], label: str) -> tuple[str, ...]:
    feature = features.get(label)
    names = feature.get("names") if isinstance(feature, dict) else None
    return tuple(map(str, names)) if isinstance(names, list) else ()
