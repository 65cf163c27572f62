"""The quickest form of a classifier as measured on this machine, kept for all its processes."""

from __future__ import annotations

import hashlib
import json
import logging
from functools import cache
from pathlib import Path

import torch

from explorer.classifiers import Classifier
from explorer.engine.processor import processor
from explorer.files import FileError, cache_folder, disk_error, write_atomically

_LOGGER = logging.getLogger(__name__)
FORMS = ("float32", "folded", "bfloat16")
FOLDER = "tuning"  # in the cache folder


def tuned_precision(classifier: Classifier) -> str | None:
    """The precision that was measured to be the quickest; None if nothing was measured."""
    try:
        if not _folder().is_dir():
            return None  # before the weights' digest is computed
    except FileError:  # there is no home, so that nothing can have been kept in it
        return None
    key = _key(classifier)
    path = _path(key)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        text = ""
    try:
        stored = json.loads(text)
        if stored["key"] == key and stored["precision"] in FORMS:
            return str(stored["precision"])
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    _warn(path.name)
    return None


def keep_tuning(
    classifier: Classifier, precision: str, milliseconds: dict[str, dict[int, float]]
) -> None:
    """Make ``precision`` the choice of every process of this machine.

    ``milliseconds`` of a gradient are kept beside it, by form and batch size. Raises
    :class:`~explorer.files.FileError` where the file can't be written.
    """
    key = _key(classifier)
    values = {
        "key": key,
        "classifier": classifier.name,
        "precision": precision,
        "milliseconds": milliseconds,
    }
    path = _path(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(path.parent, error) from None
    write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())


def forget_tuning() -> int:
    """Remove all that was measured; returns how many classifiers that were."""
    paths = list(_folder().glob("*.json"))
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(path, error) from None
    return len(paths)


def _folder() -> Path:
    return cache_folder() / FOLDER


def _key(classifier: Classifier) -> dict[str, object]:
    """All on which the quickest form depends."""
    return {
        "processor": processor(classifier.device).description,
        "torch": torch.__version__,
        "weights": classifier.digest,
        "input_size": list(classifier.input_size),
    }


def _path(key: dict[str, object]) -> Path:
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return _folder() / f"{name[:32]}.json"


@cache
def _warn(name: str) -> None:
    """Once in a process."""
    _LOGGER.warning(
        "the tuning file %s is damaged and ignored; doctor --tune makes it again",
        name,
    )
