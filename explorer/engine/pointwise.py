"""1 × 1 convolutions as the matrix products they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.engine.onednn import OPERATORS


class Pointwise:
    """A frozen 1 × 1 convolution of stride 1, ``weight`` [O, I, 1, 1], packed for inputs of so many ``positions`` in all.

    oneDNN asks less about a product than about a convolution before it begins: on small inputs that is a fifth of the time.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, positions: int) -> None:
        matrix = weight.flatten(1).contiguous()
        self.bias = bias
        self.ahead = OPERATORS.laid_out_linear(matrix, positions)
        self.back = OPERATORS.laid_out_linear(matrix.t().contiguous(), positions)

    @staticmethod
    def fits(weight: Tensor, padding: Sequence[int], stride: Sequence[int], groups: int) -> bool:
        return (
            tuple(weight.shape[2:]) == (1, 1)
            and not any(padding)
            and set(stride) == {1}
            and groups == 1
        )

    def __call__(self, images: Tensor, relu: bool) -> Tensor:
        """The convolution of ``images`` [N, I, H, W], with a ReLU behind it where ``relu``."""
        return OPERATORS.linear(
            _last(images), self.ahead, self.bias, "relu" if relu else "none", [], ""
        ).permute(0, 3, 1, 2)

    def transposed(self, gradient: Tensor, onto: Tensor | None) -> Tensor:
        """The gradient for the images, added to the one ``onto`` where there is one already."""
        if onto is None:
            return OPERATORS.linear(_last(gradient), self.back, None, "none", [], "").permute(
                0, 3, 1, 2
            )
        return OPERATORS.linear_plus(_last(gradient), _last(onto), self.back, None, "add").permute(
            0, 3, 1, 2
        )


def _last(images: Tensor) -> Tensor:
    """[N, C, H, W] → [N, H, W, C], without gaps."""
    return images.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
