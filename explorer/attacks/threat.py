"""Threat models: a norm and a radius, and the operations that every projected attack is made of.

Tensors are batches of images [N, C, H, W] in pixels of [0, 1]; ``epsilon`` is in the same unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.arguments import as_length, shown
from explorer.attacks.error import AttackError

NORMS = ("linf", "l2")


def flat_norm(delta: Tensor, norm: str) -> Tensor:
    """The norm of each sample, [N] for ``delta`` [N, ...]."""
    flat = delta.flatten(1)
    if norm == "l2":
        length: Tensor = flat.norm(dim=1)
        return length
    # abs().amax() needs fresh memory for a batch's absolute values and took fifteen times as long.
    return torch.maximum(flat.amax(dim=1), -flat.amin(dim=1))


def per_sample(value: Tensor | float, like: Tensor) -> Tensor:
    """A scalar or [N] as [N or 1, 1, 1, 1], like ``like`` [N, C, H, W] in dtype and device."""
    tensor = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    return tensor.reshape(-1, *([1] * (like.dim() - 1)))


@dataclass(frozen=True, eq=False)
class Threat:
    """All images within ``epsilon`` of the original in ``norm``, and within [0, 1].

    ``norm`` is "linf" or "l2"; ``epsilon`` is a number, or a tensor [N] with a radius per sample,
    which may be given as an array or a list.
    Raises :class:`AttackError` for another norm and for an ε that is negative or not a number;
    under "linf" also for an ε above 1, the largest possible difference of two pixels.
    """

    norm: str
    epsilon: float | Tensor

    def __post_init__(self) -> None:
        if not isinstance(self.norm, str) or self.norm not in NORMS:
            raise AttackError(
                f"unknown norm {shown(self.norm)}: it is 'linf' or 'l2', and epsilon follows it"
            )
        epsilon = as_length("epsilon", self.epsilon)
        object.__setattr__(self, "epsilon", epsilon)
        for value in torch.as_tensor(epsilon, dtype=torch.float64).detach().flatten().tolist():
            self._check(value)

    def _check(self, value: float) -> None:
        if not math.isfinite(value) or value < 0:
            raise AttackError(f"epsilon must be a number of at least 0; it is {value}")
        if self.norm == "linf" and value > 1:
            advice = f"; {value:g} levels of 8 bits are {value:g}/255" if value <= 255 else ""
            raise AttackError(
                f"epsilon must not exceed 255/255, from black to full; it is {value:g}, or "
                f"{255 * value:g}/255{advice}"
            )

    def project(self, delta: Tensor) -> Tensor:
        """The nearest perturbation in the ball.

        L∞ clips each value; L2 scales the samples that are too long.
        """
        epsilon = per_sample(self.epsilon, delta)
        if self.norm == "linf":
            return torch.clamp(delta, -epsilon, epsilon)
        length = per_sample(flat_norm(delta, "l2"), delta)
        return delta * torch.where(length > epsilon, epsilon / length.clamp_min(1e-30), 1.0)

    def bounds(self, images: Tensor) -> tuple[Tensor, Tensor] | None:
        """L∞: the least and the greatest value of each pixel, within the ball and within [0, 1].

        Clipping to them is projection and clamp in one. None for L2, whose ball has no sides.
        """
        if self.norm != "linf":
            return None
        epsilon = per_sample(self.epsilon, images)
        return (images - epsilon).clamp_(min=0), (images + epsilon).clamp_(max=1)

    def random_start(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """A perturbation drawn uniformly from the ball, with the shape of ``like``.

        L2: a Gaussian direction with the radius ε·U^(1/d), the uniform law in a ball of d
        dimensions. It is drawn on the generator's device, so that a seed gives the same start on
        every device.
        """
        uniform = torch.rand(like.shape, generator=generator, device=generator.device)
        epsilon = per_sample(self.epsilon, like)
        if self.norm == "linf":
            return (2 * uniform.to(like) - 1) * epsilon
        direction = torch.randn(like.shape, generator=generator, device=generator.device).to(like)
        radius = uniform.flatten(1)[:, 0].to(like) ** (1 / like[0].numel())
        length = flat_norm(direction, "l2").clamp_min(1e-12)
        return direction * per_sample(radius / length, like) * epsilon

    def normalized_gradient(self, gradient: Tensor) -> Tensor:
        """The unit step that raises a linear function with this gradient most.

        It is sign(g) for L∞ and g/‖g‖₂ for L2. Each sample is first scaled by its largest absolute
        value, so that gradients too small to square in float32 still give a full step; a gradient
        that is zero everywhere gives a zero step.
        """
        if self.norm == "linf":
            return gradient.sign()
        largest = per_sample(flat_norm(gradient, "linf"), gradient)
        scaled = gradient / torch.where(largest > 0, largest, 1.0)
        return scaled / per_sample(flat_norm(scaled, "l2").clamp_min(1e-12), scaled)
