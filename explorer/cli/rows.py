"""The rows of a long measurement, which are shown as far as they are done when it is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from explorer.cli.signals import before_the_end, forget_before_the_end, run_before_the_end

Row = TypeVar("Row")


def marked(part: str | None) -> dict[str, str]:
    """What the JSON of rows says that are not all."""
    return {} if part is None else {"partial": part}


class Rows(Generic[Row]):
    """Within a ``with`` block, the rows that are done; ``show`` prints them when it ends.

    ``show(rows, part)`` is called with all rows where nothing went wrong. Where a row fails, or
    a signal stops the command, it is called with those that are done, unless there are none, and
    ``part`` says how many of ``total`` they are; otherwise that is None. A row may be put again
    when there is more of it.
    """

    def __init__(self, total: int, show: Callable[[list[Row], str | None], None]) -> None:
        self._rows: dict[object, Row] = {}
        self._total, self._show = total, show

    def __enter__(self) -> Self:
        before_the_end(self._show_partial)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            run_before_the_end()
            return
        forget_before_the_end()
        self._show(list(self._rows.values()), None)

    def put(self, key: object, row: Row) -> None:
        """Add a row, or put it in the place of the one with the same ``key``."""
        self._rows[key] = row

    def _show_partial(self) -> None:
        rows = list(self._rows.values())
        if rows:
            self._show(rows, f"partial: it was ended when {len(rows)} of {self._total} had results")
            sys.stdout.flush()
