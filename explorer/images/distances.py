"""Distances between two images, and the perturbation as a picture.

Images are [3, H, W] in pixels of [0, 1].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from explorer.errors import UserError

_SSIM_WINDOW = 7
_SSIM_MIN_SIDE = 3


def linf(a: Tensor, b: Tensor) -> float:
    """The largest absolute difference of a value, in pixels of [0, 1]."""
    return float(_difference(a, b).abs().max())


def l2(a: Tensor, b: Tensor) -> float:
    """The Euclidean norm of the difference over all values (not a mean), in pixels of [0, 1]."""
    return float(_difference(a, b).norm())


def ssim(a: Tensor, b: Tensor) -> float:
    """The mean structural similarity (Wang et al. 2004): 1 for equal images, less for others.

    Windows are uniform, 7 × 7, or the largest odd size that fits a smaller image. The mean is over
    windows and channels. Raises :class:`UserError` for images below 3 × 3.
    """
    from skimage.metrics import structural_similarity  # takes 0.4 s to import

    _check_shapes(a, b)
    shorter = min(a.shape[-2:])
    if shorter < _SSIM_MIN_SIDE:
        raise UserError(
            f"SSIM needs images of at least {_SSIM_MIN_SIDE} × {_SSIM_MIN_SIDE} pixels, "
            f"not {list(a.shape)}"
        )
    window = min(_SSIM_WINDOW, shorter - 1 + shorter % 2)
    mean = structural_similarity(  # type: ignore[no-untyped-call]
        _array(a), _array(b), win_size=window, channel_axis=0, data_range=1.0
    )
    return float(mean)


def magnification(delta: Tensor) -> float:
    """The factor 0.5 / max|δ| that stretches a perturbation over the whole range; 1 if δ = 0."""
    peak = float(delta.detach().abs().max())
    return 0.5 / peak if peak > 0 else 1.0


def perturbation_image(delta: Tensor) -> Tensor:
    """The image 0.5 + δ · :func:`magnification` of a perturbation [3, H, W]; grey is no change."""
    peak = delta.detach().abs().max()
    # Not δ · magnification, which overflows for tiny δ.
    return (0.5 + 0.5 * delta.detach() / peak.where(peak > 0, 1)).clamp(0, 1)


def _check_shapes(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise ValueError(f"images of different shapes: {list(a.shape)} and {list(b.shape)}")


def _difference(a: Tensor, b: Tensor) -> Tensor:
    """The difference in float64: rounding to float32 could make it seem to leave the ball."""
    _check_shapes(a, b)
    return a.detach().double() - b.detach().double()


def _array(image: Tensor) -> npt.NDArray[np.float64]:
    array: npt.NDArray[np.float64] = image.detach().double().cpu().numpy()
    return array
