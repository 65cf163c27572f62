"""The order in which images are drawn: each once in a round, and rounds in random order."""

from __future__ import annotations

import torch
from torch import Tensor


class DrawOrder:
    """Positions from 0 to ``count`` − 1, drawn with ``generator``."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self._count, self._generator = count, generator
        self._left = torch.zeros(0, dtype=torch.int64)

    def next(self, size: int) -> Tensor:
        """The next ``size`` positions, int64 [size]; a part of the next round may follow."""
        while len(self._left) < size:
            fresh = torch.randperm(self._count, generator=self._generator)
            self._left = torch.cat([self._left, fresh])
        rows, self._left = self._left[:size], self._left[size:]
        return rows
