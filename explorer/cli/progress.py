"""The progress bar of a command, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm


class ShowProgress(Protocol):
    def __call__(self, done: int, total: int) -> None: ...


@contextmanager
def progress_bar(unit: str = "step", *, hidden: bool = False) -> Iterator[ShowProgress]:
    """A callback ``(done, total)`` that draws a bar, on a terminal and unless it is ``hidden``."""
    disable = True if hidden else None  # None: where standard error is no terminal
    with tqdm(unit=unit, file=sys.stderr, disable=disable, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
