"""``rerun`` of a recipe that holds its own command: the same files again, compared byte by byte."""

from __future__ import annotations

import argparse
import filecmp
import json
import reprlib
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from explorer.cli.common import UsageError
from explorer.cli.given import given_options, is_given
from explorer.cli.one_image import RECIPE_FILE
from explorer.cli.parser import OptionParser
from explorer.cli.whole_numbers import MAX_THREADS
from explorer.engine import thread_count

PROGRAM = ["python", "-m", "explorer"]
# The commands that write a recipe with their command.
REPEATED = frozenset(
    (
        *("sweep", "smallest", "transfer", "gradients", "synthesise", "invert", "paint"),
        *("universal", "patch", "dispute"),
    )
)
COMPARED = (".csv", ".npy")  # figures hold names and versions of libraries
AUTOMATIC = "auto"  # what a command says where its recipe has what came of it
_NOT_COMPARED = ("command", "format", "threads")


def repeat_command(
    parsers: Mapping[str, OptionParser],
    path: Path,
    values: Mapping[str, Any],
    options: argparse.Namespace,
) -> int:
    """Run the command of the recipe ``values``, read from ``path``, and list what differs.

    ``parsers`` are those of the commands. The files of the first run are looked for beside the
    recipe. Returns 0 where all is the same, 1 where anything differs. Raises :class:`UsageError`
    for a command that is none of ours.
    """
    if options.image or options.weights:
        raise UsageError(
            f"{path} names its pictures and classifiers in its command; change them there instead "
            "of using --image or --weights"
        )
    again = _options(parsers, path, values, options)
    threads = values.get("threads")
    if threads is not None and (type(threads) is not int or not 1 <= threads <= MAX_THREADS):
        raise UsageError(f"{path}: threads must be from 1 to {MAX_THREADS:,}; they are {threads}")
    with thread_count(threads):
        status = int(again.run(again))
    if status:
        return status
    out = Path(options.out)
    files = _files(path, out)
    differences = [*_changed_values(values, out / RECIPE_FILE), *_changed_files(path, out, files)]
    for difference in differences:
        print(f"differs: {difference}", file=sys.stderr)
    if not files:
        print(
            "results not compared: no CSV or NPY file that the command writes lies beside the "
            "recipe",
            file=sys.stderr,
        )
    elif not differences:
        print(f"the same again: {', '.join(files)}", file=sys.stderr)
    return 1 if differences else 0


def _options(
    parsers: Mapping[str, OptionParser],
    path: Path,
    values: Mapping[str, Any],
    options: argparse.Namespace,
) -> argparse.Namespace:
    """The options of the recipe's command, which writes to the folder of ``options``."""
    command = values.get("command")
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        words = []
    if words[:3] != PROGRAM or not REPEATED.intersection(words[3:4]):
        raise UsageError(f"{path}: {reprlib.repr(command)} is no command that can be repeated")
    parser = parsers[words[3]]
    parser.load()
    words += ["--out", options.out, *(["--json"] if options.json else [])]
    if is_given(options, "--device") or "--device" not in given_options(parser, words[4:]):
        words += ["--device", options.device]  # the last one counts
    again = parser.parse_args(words[4:])
    again.given = given_options(parser, words[4:])
    return again


def _changed_values(values: Mapping[str, Any], path: Path) -> Iterator[str]:
    """The settings, digests and versions that are not those of the recipe in ``path``."""
    new = json.loads(path.read_text(encoding="utf-8"))
    for name in sorted((set(values) | set(new)) - set(_NOT_COMPARED)):
        before, now = values.get(name), new.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            for key in sorted(set(before) | set(now)):
                if before.get(key) not in (now.get(key), AUTOMATIC):
                    yield f"{name}, {key}: was {before.get(key)}, is {now.get(key)}"
        elif before != now:
            yield f"{name}: was {reprlib.repr(before)}, is {reprlib.repr(now)}"


def _files(path: Path, out: Path) -> dict[str, str]:
    """The results beside the recipe at ``path``, with the names that they have in the folder
    ``out``. Other files may lie there too, and a page's download has the name of its page.
    """
    written = [each for each in sorted(out.iterdir()) if each.suffix in COMPARED]
    files: dict[str, str] = {}
    for each in sorted(path.parent.iterdir()):
        if each.suffix not in COMPARED:
            continue
        if (out / each.name) in written:
            files[each.name] = each.name
        elif same := [new.name for new in written if filecmp.cmp(each, new, shallow=False)]:
            files[each.name] = same[0]
    return files


def _changed_files(path: Path, out: Path, files: Mapping[str, str]) -> Iterator[str]:
    """The files beside the recipe at ``path`` that are others in the folder ``out``."""
    for name, new in files.items():
        if not filecmp.cmp(path.parent / name, out / new, shallow=False):
            yield f"{name}: its content is not the same"
