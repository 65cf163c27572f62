"""Where a picture of a class begins: noise, or a Gaussian fitted on pictures of the class."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.datasets.constructed.constructions import generator_for, noise
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.features.asked import FeatureError

NOISE, GREY, DATA = "noise", "grey", "data"
STARTS_FROM_NOISE = (NOISE, GREY)
STARTS = (*STARTS_FROM_NOISE, DATA)
GREY_DEVIATION = 0.05  # of the noise on the grey start, in pixels of [0, 1]
FEWEST = 2  # pictures of a class: one has no spread


def start_of(
    kind: str, seed: int, number: int, shape: tuple[int, ...], pictures: Tensor | None = None
) -> Tensor:
    """A start float32 [C, H, W] in [0, 1] that depends on ``seed``, ``number`` and ``shape`` alone.

    "noise" is uniform in [0, 1]; "grey" is middle grey with faint Gaussian noise; "data" is drawn
    from the Gaussian with the mean and the covariance of ``pictures`` [M, C, H, W] and clipped
    (Santurkar et al. 2019, § 3).
    """
    if kind == NOISE:
        return noise(seed, number, shape)
    if kind == GREY:
        normal = torch.randn(shape, generator=generator_for("grey", seed, number))
        return (0.5 + GREY_DEVIATION * normal).clamp(0, 1)
    assert pictures is not None
    return gaussian_draw(pictures, generator_for("gaussian", seed, number)).clamp(0, 1)


def gaussian_draw(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """A draw [C, H, W] from the Gaussian fitted on ``pictures`` [M, C, H, W], M at least 2.

    It is μ + Σ zᵢ (xᵢ − μ)/√(M − 1) with independent standard normal zᵢ, whose covariance is that
    of the pictures: the matrix itself, of (CHW)² numbers, is never needed.
    """
    mean = pictures.mean(dim=0)
    weights = torch.randn(len(pictures), generator=generator) / (len(pictures) - 1) ** 0.5
    return mean + torch.einsum("m,mchw->chw", weights, pictures - mean)


def pictures_by_class(data: LabelledImages, classes: tuple[int, ...]) -> dict[int, Tensor]:
    """The pictures of each of ``classes`` in ``data``, float32 [M, C, H, W] in [0, 1].

    Raises :class:`FeatureError` where a class has fewer than two.
    """
    by_class: dict[int, Tensor] = {}
    for index in classes:
        rows = (data.labels == index).nonzero().flatten()
        if len(rows) < FEWEST:
            name = f"“{data.names[index]}”" if index < len(data.names) else f"class {index}"
            raise FeatureError(
                f"a Gaussian needs at least {FEWEST} pictures of each class; the data has "
                f"{len(rows)} of {name}: bring more, or choose other classes"
            )
        by_class[index] = data.images[rows].float() / 255
    return by_class
