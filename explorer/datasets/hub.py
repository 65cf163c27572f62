"""Data sets of the Hugging Face Hub, named hf://OWNER/NAME, through the ``datasets`` library."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from explorer.datasets.columns import ColumnNames, find_columns
from explorer.datasets.labelled import DataError
from explorer.errors import short, type_and_message

PREFIX = "hf://"
_SOURCE = re.compile(
    r"hf://(datasets/)?(?P<name>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w.-]+))?"
    r"(/(?P<config>[\w.-]+))?(:(?P<split>[\w.-]+))?"
)
_FORM = "hf://OWNER/NAME:SPLIT, with /CONFIGURATION before the colon if there are several"
_SECONDS = 10.0  # to reach the Hub; datasets itself tries for half a minute


@dataclass(frozen=True)
class _Source:
    name: str
    revision: str | None
    config: str | None
    split: str | None


def read_hub(source: str, limit: int | None, named: ColumnNames) -> pa.Table:
    """The first ``limit`` rows of ``source``, as a table of pictures and labels.

    A ``limit`` keeps the rest from being fetched. Raises :class:`DataError` if ``datasets`` isn't
    installed, if the Hub can't be reached, and if there is no such data set.
    """
    parsed = _parse(source)
    try:
        # Not by name: mypy takes it for a page of the app that is called the same.
        datasets: Any = importlib.import_module("datasets")
    except ImportError:
        raise DataError(
            f"{source} needs the datasets library: pip install 'adversarial-explorer[hub]', or "
            "pip install datasets"
        ) from None
    datasets.disable_progress_bars()
    try:
        _check_reachable(parsed)
        rows = datasets.load_dataset(
            parsed.name,
            parsed.config,
            split=parsed.split or _only_split(parsed, source, datasets),
            revision=parsed.revision,
            streaming=limit is not None,
        )
        return _table(rows, limit, source, named, datasets)
    except DataError:
        raise
    except Exception as error:  # of a library, the network, or the files of the data set
        raise DataError(
            f"{source} can't be read ({short(type_and_message(error))}); check its name, and the "
            "network"
        ) from None


def _parse(source: str) -> _Source:
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise DataError(f"{source} is no data set of the Hugging Face Hub; write {_FORM}")
    return _Source(match["name"], match["revision"], match["config"], match["split"])


def _check_reachable(parsed: _Source) -> None:
    """One quick request, unless the person works offline with what was fetched before."""
    from huggingface_hub import HfApi, constants

    if not constants.HF_HUB_OFFLINE:
        HfApi().dataset_info(parsed.name, revision=parsed.revision, timeout=_SECONDS)


def _only_split(parsed: _Source, source: str, datasets: Any) -> str:
    splits = datasets.get_dataset_split_names(parsed.name, parsed.config, revision=parsed.revision)
    if len(splits) != 1:
        raise DataError(
            f"{source} has the splits {short(', '.join(splits))}; name one, such as "
            f"{source}:{splits[0]}"
        )
    return str(splits[0])


def _table(
    rows: Any, limit: int | None, source: str, named: ColumnNames, datasets: Any
) -> pa.Table:
    if rows.features is None:  # of files that don't say, known from the first rows
        rows = rows._resolve_features()
    schema = rows.features.arrow_schema
    found = find_columns(schema, source, named)
    rows = rows.select_columns([found.image, found.label])
    if isinstance(rows.features[found.image], datasets.Image):
        # Its own decoder would lose 16 bits, transparency, orientation and colour profile.
        rows = rows.cast_column(found.image, datasets.Image(decode=False))
    columns: dict[str, list[Any]] = {found.image: [], found.label: []}
    for row in islice(rows, limit):
        columns[found.image].append(_bytes(row[found.image]))
        columns[found.label].append(row[found.label])
    kinds = [(found.image, pa.large_binary()), (found.label, schema.field(found.label).type)]
    return pa.table(columns, schema=pa.schema(kinds, metadata=schema.metadata))


def _bytes(cell: Any) -> Any:
    """The bytes of a picture, which may be stored as the path of a file beside the table."""
    if not isinstance(cell, dict) or cell.get("bytes") is not None or not cell.get("path"):
        return cell.get("bytes") if isinstance(cell, dict) else cell
    import fsspec

    with fsspec.open(cell["path"], "rb") as file:
        return file.read()
