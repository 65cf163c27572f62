"""The contract between the engine and what needs gradients, and its form by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.engine.operations import inner_product
from explorer.errors import UserError

VJP = Callable[[Tensor], Tensor]
"""A gradient at the output → the gradient for the images, float32 [N, C, H, W]. Call it once."""


class NoGradientError(UserError):
    """A classifier through which no gradient reaches the image."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no gradient reaches the image: {reason}")


IN_PLACE = (
    "the network changes a tensor in place that its gradient still needs; write x = x * 2 in place "
    "of x.mul_(2), and leave inplace=True out"
)
NO_LOGITS_GRADIENT = "the classifier is not differentiable, PGD can't be used"
NO_FEATURES_GRADIENT = "the classifier's features are not differentiable and can't be matched"


class GradientModel(Protocol):
    """Outputs for pixels float32 [N, 3, H, W] in [0, 1], with their vector-Jacobian products.

    The products have the form of ``torch.func.vjp``. They raise :class:`NoGradientError` where no
    gradient reaches the images.
    """

    @property
    def network(self) -> Classifier:
        """What computes: measurements of the model are kept as long as this lives."""
        ...

    def logits(self, images: Tensor) -> Tensor:
        """Logits float32 [N, C], without a gradient."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """Penultimate activations float32 [N, D], without a gradient."""
        ...

    def logits_vjp(self, images: Tensor) -> tuple[Tensor, VJP]:
        """Logits float32 [N, C] and their vector-Jacobian product."""
        ...

    def features_vjp(self, images: Tensor) -> tuple[Tensor, VJP]:
        """Penultimate activations float32 [N, D] and their vector-Jacobian product."""
        ...

    def saved_bytes(self, images: Tensor) -> int:
        """Bytes kept between the forward and the backward pass for ``images``."""
        ...

    @property
    def autograd_pieces(self) -> tuple[str, ...]:
        """The operations whose gradients autograd takes, each kind once."""
        ...

    @property
    def is_concurrent(self) -> bool:
        """Whether several threads may evaluate it at the same time."""
        ...

    @property
    def is_batch_invariant(self) -> bool:
        """Whether a sample has the same bits in every batch, and by any number of threads."""
        ...


class AutogradModel:
    """The form that any classifier has: autograd takes the backward pass.

    ``forward``, if it is given, computes the logits in place of the classifier.
    """

    def __init__(
        self, classifier: Classifier, forward: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self.network = self._classifier = classifier
        self._forward: Callable[[Tensor], Tensor] = forward or classifier

    def logits(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            return self._forward(images)

    def features(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            return self._classifier.features(images)

    def logits_vjp(self, images: Tensor) -> tuple[Tensor, VJP]:
        return _autograd_vjp(self._forward, images, NO_LOGITS_GRADIENT)

    def features_vjp(self, images: Tensor) -> tuple[Tensor, VJP]:
        return _autograd_vjp(self._classifier.features, images, NO_FEATURES_GRADIENT)

    def saved_bytes(self, images: Tensor) -> int:
        counter = SavedTensors()
        with torch.enable_grad(), counter:
            self._classifier(images.detach().requires_grad_(True))
        return counter.bytes

    @property
    def autograd_pieces(self) -> tuple[str, ...]:
        return ("the whole network",)

    @property
    def is_concurrent(self) -> bool:
        return False  # a person's module need not be prepared for it

    @property
    def is_batch_invariant(self) -> bool:
        return False


def _autograd_vjp(
    function: Callable[[Tensor], Tensor], images: Tensor, reason: str
) -> tuple[Tensor, VJP]:
    with torch.enable_grad():
        leaf = images.detach().requires_grad_(True)
        output = function(leaf)

    def vjp(gradient: Tensor) -> Tensor:
        try:
            # For the input alone: backward() would compute the weights' gradients too.
            (result,) = torch.autograd.grad(inner_product(output, gradient), leaf)
        except RuntimeError as error:
            if "does not require grad" in str(error) or "not have been used" in str(error):
                raise NoGradientError(reason) from None
            if "inplace operation" in str(error):
                raise NoGradientError(IN_PLACE) from None
            raise
        # Attacks work on tensors of the images' own layout: mixed with another one, their passes
        # take several times as long.
        return result.contiguous()

    return output.detach(), vjp


class SavedTensors:
    """Counts the memory blocks that a forward pass keeps for its backward pass, each once."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        # A block that was freed could come again under the same address.
        self._storages: list[torch.UntypedStorage] = []
        hooks = torch.autograd.graph.saved_tensors_hooks
        self._hooks: Any = hooks(self.add, lambda tensor: tensor)

    def __enter__(self) -> None:
        self._hooks.__enter__()

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)

    @property
    def bytes(self) -> int:
        return sum(self._blocks.values())

    def add(self, tensor: Tensor) -> Tensor:
        """Count one tensor."""
        if not tensor.is_mkldnn and tensor.layout == torch.strided:
            storage = tensor.untyped_storage()
            self._storages.append(storage)
            self._blocks[storage.data_ptr()] = storage.nbytes()
        return tensor
