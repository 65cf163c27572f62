"""What the commands share: numbers, devices, sources, output folders, progress on standard error."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from explorer.errors import UserError
from explorer.experiments.one_image.recipe import RecipeError, parse_number


class UsageError(UserError):
    """A mistake of the person at the keyboard; the message is the one line they see."""


def number(text: str) -> float:
    """argparse type: ``0.03`` or ``8/255``."""
    try:
        return parse_number(text)
    except RecipeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def writable_folder(out: str | Path) -> Path:
    """Make the folder and try to write in it, before any work is done. Raises :class:`UsageError`."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".explorer-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"can't write into {folder}: {error.strerror or error}; choose another folder with --out"
        ) from None
    return folder


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write each file under a temporary name and move it into place, so that none is ever seen half written."""
    for name, data in files.items():
        temporary = folder / f".{name}.part"
        try:
            temporary.write_bytes(data)
            os.replace(temporary, folder / name)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise UsageError(f"can't write {folder / name}: {error.strerror or error}") from None
