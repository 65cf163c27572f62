"""Gradients as pictures: a diverging map centred at zero, and one in the colours of the pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from explorer.experiments.features.gradients import channel_sum, scale_of

# ColorBrewer's PRGn, which people with red-green deficiency can read: purple lowers, green raises.
_STOPS = (
    *((64, 0, 75), (118, 42, 131), (153, 112, 171), (194, 165, 207), (231, 212, 232)),
    (247, 247, 247),
    *((217, 240, 211), (166, 219, 160), (90, 174, 97), (27, 120, 55), (0, 68, 27)),
)


def diverging_map(gradient: Tensor) -> tuple[Tensor, float]:
    """The sum over the channels of a gradient [C, H, W] as a picture [3, H, W], and its scale.

    White is zero; green at full strength stands for the scale and more, purple for minus that.
    """
    summed = channel_sum(gradient)
    scale = scale_of(summed)
    shares = _shares(summed, scale).numpy()
    colours = np.array(_STOPS) / 255
    places = np.linspace(-1, 1, len(colours))
    channels = [np.interp(shares, places, colours[:, channel]) for channel in range(3)]
    return torch.from_numpy(np.stack(channels)).float(), scale


def colour_map(gradient: Tensor) -> tuple[Tensor, float]:
    """A gradient [C, H, W] as a picture of the same shape, each channel as it is, and its scale.

    Middle grey is zero; full brightness of a channel stands for the scale and more.
    """
    scale = scale_of(gradient)
    return 0.5 + 0.5 * _shares(gradient, scale), scale


def _shares(values: Tensor, scale: float) -> Tensor:
    """``values`` in parts of ``scale``, cut to −1 to 1."""
    return (values / (scale or 1.0)).clamp(-1, 1)
