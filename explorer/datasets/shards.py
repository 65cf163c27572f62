"""The files of a data set in several Parquet files: train-00000-of-00003.parquet and so on."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from explorer.datasets.labelled import DataError

_SHARD = re.compile(r"(?P<stem>.*)-(?P<index>\d{5})-of-(?P<count>\d{5})")
_PATTERN = frozenset("*?[")
_BELOW = "data"  # where Hugging Face's repositories have them


def files_of_pattern(pattern: str) -> list[Path]:
    """The Parquet files of a path with ``*`` and the like, in order; empty if it has none of these.

    Raises :class:`DataError` if no file matches, or if one of several shards is missing.
    """
    if not _PATTERN & set(pattern):
        return []
    files = [Path(name) for name in sorted(glob.glob(pattern))]
    if not files:
        raise DataError(f"no file matches {pattern}; check the path")
    if others := [file for file in files if file.suffix != ".parquet"]:
        raise DataError(f"{pattern} matches {others[0]}, which is no Parquet file; name less")
    for stem in dict.fromkeys(_stem(file) for file in files):
        _check_complete([file for file in files if _stem(file) == stem])
    return files


def shards_in(folder: Path) -> list[Path]:
    """The shards of the one data set that ``folder``, or ``data`` in it, holds; empty if it has no
    Parquet files.

    Raises :class:`DataError` for files that are no shards, for several splits, and if a shard is
    missing.
    """
    files = sorted(folder.glob("*.parquet")) or sorted((folder / _BELOW).glob("*.parquet"))
    if not files:
        return []
    stems = list(dict.fromkeys(_stem(file) for file in files))
    if "" in stems:
        single = next(file for file in files if not _stem(file))
        raise DataError(
            f"{folder} holds Parquet files but no manifest.json; name one of the files, such as "
            f"{single}"
        )
    if len(stems) > 1:
        pattern = files[0].with_name(f"{stems[0]}-*.parquet")
        raise DataError(
            f"{folder} holds the splits {', '.join(stems)}; name one by a pattern, such as "
            f"'{pattern}'"
        )
    _check_complete(files)
    return files


def _stem(file: Path) -> str:
    """What the names of the shards of a set have in common; empty for a file that is no shard."""
    match = _SHARD.fullmatch(file.stem)
    return match["stem"] if match else ""


def _check_complete(files: list[Path]) -> None:
    shards = [match for file in files if (match := _SHARD.fullmatch(file.stem))]
    present = {(int(shard["index"]), int(shard["count"])) for shard in shards}
    counts = {count for _, count in present}
    if len(counts) > 1:
        raise DataError(f"{files[0].parent} holds shards of two versions of a set; keep one")
    for index in range(max(counts, default=0)):
        if (index, *counts) not in present:
            (count,) = counts
            raise DataError(
                f"{files[0].parent} lacks the shard {index:05}-of-{count:05}; fetch it again"
            )
