"""Data sets of the Hugging Face Hub, named hf://OWNER/NAME, through the ``datasets`` library."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from explorer.datasets.columns import ColumnNames, find_columns
from explorer.datasets.labelled import DataError
from explorer.errors import is_out_of_memory, short, type_and_message

PREFIX = "hf://"
_SOURCE = re.compile(
    r"hf://(datasets/)?(?P<name>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w.-]+))?"
    r"(/(?P<config>[\w.-]+))?(:(?P<split>[\w.-]+))?"
)
_FORM = "hf://OWNER/NAME:SPLIT, with /CONFIGURATION before the colon if there are several"
_SECONDS = 10.0  # for the first answer; datasets itself waits for half a minute
_LOG_IN = "log in with: hf auth login"


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
    from explorer.classifiers.hub import hub_if_reachable  # imports the Hub's library

    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    with hub_if_reachable() as reachable:
        try:
            return _loaded(parsed, source, limit, named, datasets, reachable)
        except DataError:
            raise
        except Exception as error:  # of a library, the network, or the files of the data set
            if is_out_of_memory(error):
                raise
            raise DataError(_sentence(error, parsed, source, reachable)) from None


def _loaded(
    parsed: _Source,
    source: str,
    limit: int | None,
    named: ColumnNames,
    datasets: Any,
    reachable: bool,
) -> pa.Table:
    if reachable:
        _check_existence(parsed)
    try:
        rows = datasets.load_dataset(
            parsed.name,
            parsed.config or _only_config(parsed, source, datasets),
            split=parsed.split or _only_split(parsed, source, datasets),
            revision=parsed.revision,
            streaming=limit is not None and reachable,
        )
    except ValueError as error:
        if isinstance(error, DataError) or parsed.split is None or "split" not in str(error):
            raise
        raise _split_error(parsed, source, datasets) from None
    return _table(rows, limit, source, named, datasets)


def _sentence(error: Exception, parsed: _Source, source: str, reachable: bool) -> str:
    """What went wrong, and what to do."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if not reachable:
        return (
            f"{source} is not on this machine, and {constants.ENDPOINT} can't be reached; data "
            f"that were fetched before are in {constants.HF_HOME} and need no network"
        )
    if isinstance(error, GatedRepoError):
        return f"{parsed.name} is gated: agree to its terms on {constants.ENDPOINT}, then {_LOG_IN}"
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"{constants.ENDPOINT} has no data set {parsed.name} that is open to all; check the "
            f"name or, for a private one, {_LOG_IN}"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{parsed.name} has no revision {parsed.revision}; leave @{parsed.revision} out"
    reason = short(type_and_message(error).rstrip("."))
    return f"{source} can't be read ({reason}); check its name, and the network"


def _parse(source: str) -> _Source:
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise DataError(f"{source} is no data set of the Hugging Face Hub; write {_FORM}")
    return _Source(match["name"], match["revision"], match["config"], match["split"])


def _check_existence(parsed: _Source) -> None:
    """One quick request, whose errors say more than those of ``datasets``."""
    from huggingface_hub import HfApi

    HfApi().dataset_info(parsed.name, revision=parsed.revision, timeout=_SECONDS)


def _only_config(parsed: _Source, source: str, datasets: Any) -> str | None:
    configs = datasets.get_dataset_config_names(parsed.name, revision=parsed.revision)
    if len(configs) < 2 or "default" in configs:
        return None
    split = f":{parsed.split}" if parsed.split else ""
    stem = source.removesuffix(split)
    raise DataError(
        f"{source} has the configurations {short(', '.join(configs))}; name one, such as "
        f"{stem}/{configs[0]}{split}"
    )


def _only_split(parsed: _Source, source: str, datasets: Any) -> str:
    splits = _splits(parsed, datasets)
    if len(splits) != 1:
        raise DataError(
            f"{source} has the splits {short(', '.join(splits))}; name one, such as "
            f"{source}:{splits[0]}"
        )
    return splits[0]


def _split_error(parsed: _Source, source: str, datasets: Any) -> DataError:
    splits = _splits(parsed, datasets)
    return DataError(
        f"{source.removesuffix(f':{parsed.split}')} has no split {parsed.split}; it has "
        f"{short(', '.join(splits))}"
    )


def _splits(parsed: _Source, datasets: Any) -> list[str]:
    names = datasets.get_dataset_split_names(parsed.name, parsed.config, revision=parsed.revision)
    return [str(name) for name in names]


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
