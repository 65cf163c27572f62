"""What a network is made of: its multiplications, by the kind of layer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from explorer.classifiers import Classifier
from explorer.engine.optimized_copy import noise
from explorer.errors import is_out_of_memory

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Composition:
    """Multiplications for one image, in convolutions and in linear layers.

    ``depthwise`` are those in convolutions of one channel each, ``dense`` those in all others.
    Attention multiplies little besides its linear layers, and is left out.
    """

    dense: int = 0
    depthwise: int = 0
    linear: int = 0

    @property
    def convolutions(self) -> int:
        return self.dense + self.depthwise

    @property
    def total(self) -> int:
        return self.convolutions + self.linear

    @property
    def depthwise_share(self) -> float:
        """The part of all multiplications that is in depthwise convolutions, from 0 to 1."""
        return self.depthwise / max(1, self.total)


def composition_of(classifier: Classifier) -> Composition:
    """What ``classifier`` multiplies for one image of its input size.

    Nothing is known of a module that fails on noise. The global random state stays as it was.
    """
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad(), _Counter() as counter:
            classifier(noise(classifier, 1))
    except Exception as error:  # a person's module may fail in any way
        if is_out_of_memory(error):
            raise
        _LOGGER.info("the layers of a classifier can't be counted", exc_info=True)
        return Composition()
    return Composition(counter.dense, counter.depthwise, counter.linear)


class _Counter(TorchFunctionMode):
    """Counts the multiplications of this thread.

    Hooks would be seen by other threads too, and torch's mode for single operators would import
    sympy: half a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.dense = self.depthwise = self.linear = 0

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        if function is torch.conv2d:
            count = args[1].numel() * output[0, 0].numel()
            if args[1].shape[1] == 1:
                self.depthwise += count
            else:
                self.dense += count
        elif function is torch._C._nn.linear:
            self.linear += output.numel() * args[1].shape[1]
        return output
