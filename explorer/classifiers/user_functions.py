"""Python functions that return classifiers, as ``EXPLORER_MODELS`` names them."""

from __future__ import annotations

from pathlib import Path

from explorer.classifiers.entry import FUNCTION_GROUP, Entry
from explorer.settings import MODELS


def models_from_environment() -> tuple[str, ...]:
    """The names in ``EXPLORER_MODELS``, which separates them by commas.

    They are ``FILE.py:FUNCTION``, or ``FILE.py:FUNCTION:probabilities``.
    """
    names = (name.strip() for name in MODELS.value.split(","))
    return tuple(name for name in names if name)


def function_parts(name: str) -> tuple[Path, str, str]:
    """The file, the function, and what follows it, of ``FILE.py:FUNCTION[:probabilities]``."""
    file, _, rest = name.rpartition(".py:")
    function, _, outputs = rest.partition(":")
    return Path(f"{file}.py"), function, outputs


def function_entries() -> tuple[Entry, ...]:
    """The catalogue's lines for the functions whose files are there."""
    entries = (_entry(name) for name in models_from_environment())
    return tuple(entry for entry in entries if entry.available)


def _entry(name: str) -> Entry:
    path, _, _ = function_parts(name)
    return Entry(
        name=name,
        title=name,
        data="as its Python function says",
        training="standard",
        robust=False,
        parameters=None,
        bytes=None,
        accuracy=None,
        where=path,
        available=path.is_file(),
        group=FUNCTION_GROUP,
    )
