"""Networks whose robustness seems larger than it is, each for one known reason."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from explorer.classifiers import Classifier


class Wrapped(nn.Module):
    """A network whose logits are changed by ``change``."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        return self.change(self.module(images))

    def change(self, logits: Tensor) -> Tensor:
        raise NotImplementedError


class Rounded(Wrapped):
    """The logits as whole numbers, which have no gradient."""

    def change(self, logits: Tensor) -> Tensor:
        return logits.round()


class Dropping(Wrapped):
    """Dropout of the logits in evaluation mode too."""

    def change(self, logits: Tensor) -> Tensor:
        return F.dropout(logits, 0.3, training=True)


class Softmaxed(Wrapped):
    """Probabilities in place of logits."""

    def change(self, logits: Tensor) -> Tensor:
        return logits.softmax(dim=1)


class Scaled(Wrapped):
    """Logits a thousand times as large, whose softmax is 0 and 1 in float32."""

    def change(self, logits: Tensor) -> Tensor:
        return 1000 * logits


def wrapped(classifier: Classifier, kind: type[Wrapped]) -> Classifier:
    """``classifier`` with its network in a ``kind`` of wrapper."""
    return classifier.with_module(kind(classifier.module))
