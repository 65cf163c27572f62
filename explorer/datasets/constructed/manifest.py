"""The folder of a built set: plan.json, the shards, and manifest.json when all are there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from explorer.datasets.constructed.shards import Shard, shard_count
from explorer.datasets.labelled import DataError
from explorer.datasets.parquet import read_table
from explorer.files import sha256, write_atomically

PLAN, MANIFEST = "plan.json", "manifest.json"
SHARDS = "data-*.parquet"


def write_manifest(folder: Path, about: dict[str, Any], shards: Sequence[Shard]) -> None:
    """List the ``shards`` with their digests, after the fields of ``about``."""
    entries = [
        {"file": shard.name, "rows": len(shard.rows), "sha256": sha256(folder / shard.name)}
        for shard in shards
    ]
    data = json.dumps({**about, "shards": entries}, indent=1, ensure_ascii=False).encode()
    path = folder / MANIFEST
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)


def read_built(
    folder: Path, limit: int | None, columns: Sequence[str]
) -> tuple[pa.Table, dict[str, Any]]:
    """The first ``limit`` rows of a finished set, and the plan that it was built by.

    Raises :class:`DataError` if the manifest or a shard is missing or damaged.
    """
    manifest = _read_json(folder / MANIFEST)
    construction = manifest.get("construction")
    if isinstance(construction, dict) and not isinstance(construction.get("name", ""), str):
        raise _broken(f"{folder / MANIFEST} has a construction whose name is no text")
    tables: list[pa.Table] = []
    rows = 0
    for name, digest, count in _entries(manifest, folder / MANIFEST):
        if limit is not None and rows >= limit:
            break
        tables.append(_read_shard(folder, name, digest, columns))
        rows += count
    if not tables:
        raise _broken(f"{folder / MANIFEST} lists no shards")
    try:
        table = pa.concat_tables(tables)
    except pa.ArrowException:
        raise _broken(f"{folder / MANIFEST} lists files with different columns") from None
    about = {name: value for name, value in manifest.items() if name != "shards"}
    return table if limit is None else table.slice(0, limit), about


def unfinished(folder: Path) -> DataError:
    """The error for a folder that has a plan and no manifest."""
    present, rows = len(list(folder.glob(SHARDS))), _read_json(folder / PLAN).get("rows")
    if not isinstance(rows, list):
        return DataError(
            f"{folder / PLAN} lists no rows; remove the folder and build the set again"
        )
    state = f"{folder} is an unfinished set ({present} of {shard_count(len(rows))} shards)"
    return _broken(state, "finish")


def _entries(manifest: dict[str, Any], path: Path) -> list[tuple[str, str, int]]:
    """Each shard's file name, digest and number of rows."""
    try:
        return [
            (str(entry["file"]), str(entry["sha256"]), int(entry["rows"]))
            for entry in manifest["shards"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _broken(f"{path} lists no shards") from None


def _read_shard(folder: Path, name: str, digest: str, columns: Sequence[str]) -> pa.Table:
    path = folder / Path(name).name  # a manifest names files of its own folder only
    try:
        data = path.read_bytes()
    except OSError:
        raise _broken(f"{path} is missing or can't be read", "make") from None
    except ValueError:  # a NUL character
        raise _broken(f"{folder / MANIFEST} lists {name!r}, which is no file name") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise _broken(f"{path} was changed or damaged since the set was built")
    return read_table(path, data=data, columns=columns)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        raise _broken(f"{path} can't be read") from None
    if not isinstance(value, dict):
        raise _broken(f"{path} is no manifest")
    return value


def _broken(fault: str, remedy: str = "mend") -> DataError:
    return DataError(f"{fault}; start the same build command again to {remedy} it")
