"""A network on an accelerator through torch.compile, where ``EXPLORER_COMPILE=1`` asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.errors import is_out_of_memory

_LOGGER = logging.getLogger(__name__)


class CompiledForward:
    """The logits of ``classifier``, with the kernels that torch.compile makes for it.

    Compiling takes up to a minute for each network and shape, at the first call. From the first
    exception on, such as that of a machine without a compiler, the classifier itself computes.
    """

    def __init__(self, classifier: Classifier, backend: str = "inductor") -> None:
        self._classifier = classifier
        self._compiled: Callable[[Tensor], Tensor] | None
        self._compiled = torch.compile(classifier, backend=backend)

    @property
    def is_compiled(self) -> bool:
        """Whether torch.compile has not failed so far."""
        return self._compiled is not None

    def __call__(self, images: Tensor) -> Tensor:
        """Logits float32 [N, C] of images float32 [N, 3, H, W]."""
        if self._compiled is not None:
            try:
                return self._compiled(images)
            except Exception as error:  # compilers fail in many ways
                if is_out_of_memory(error):
                    raise
                name = self._classifier.name
                _LOGGER.warning("torch.compile failed on %s; it runs without", name, exc_info=True)
                self._compiled = None
        logits: Tensor = self._classifier(images)
        return logits
