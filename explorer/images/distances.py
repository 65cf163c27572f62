"""How far apart two images are, and how to show the difference. Images are [3, H, W] in pixels of [0, 1]."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from explorer.errors import UserError

_SSIM_WINDOW = 7
_SMALLEST = 3


def linf(a: Tensor, b: Tensor) -> float:
    """Largest absolute difference of any value, in pixels of [0, 1]."""
    return float(_difference(a, b).abs().max())


def l2(a: Tensor, b: Tensor) -> float:
    """Euclidean length of the difference over all values (not a mean), in pixels of [0, 1]."""
    return float(_difference(a, b).norm())


def ssim(a: Tensor, b: Tensor) -> float:
    """Mean structural similarity (Wang et al. 2004): 1 for equal images, lower the more structure differs.

    Uniform 7 × 7 windows (the largest odd window that fits, for images smaller than that), each channel on its own,
    then the mean. Raises ``ValueError`` for images below 3 × 3.
    """
    from skimage.metrics import structural_similarity  # 0.4 s to import: not at start-up

    _check_shapes(a, b)
    smallest = min(a.shape[-2:])
    if smallest < _SMALLEST:
        raise UserError(
            f"SSIM needs images of at least {_SMALLEST} × {_SMALLEST} pixels, not {list(a.shape)}"
        )
    window = min(_SSIM_WINDOW, smallest - 1 + smallest % 2)
    mean = structural_similarity(  # type: ignore[no-untyped-call]
        _array(a), _array(b), win_size=window, channel_axis=0, data_range=1.0
    )
    return float(mean)


def magnification(delta: Tensor) -> float:
    """The factor that stretches a perturbation over the whole range: 0.5 / max|δ|; 1 when there is none to stretch."""
    peak = float(delta.detach().abs().max())
    return 0.5 / peak if peak > 0 else 1.0


def perturbation_image(delta: Tensor) -> Tensor:
    """The perturbation [3, H, W] as an image: 0.5 + δ · :func:`magnification`, so that grey means no change."""
    peak = delta.detach().abs().max()
    # δ / peak rather than δ · magnification, which overflows for the smallest floats.
    return (0.5 + 0.5 * delta.detach() / peak.where(peak > 0, 1)).clamp(0, 1)


def _check_shapes(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise ValueError(f"images of different shapes: {list(a.shape)} and {list(b.shape)}")


def _difference(a: Tensor, b: Tensor) -> Tensor:
    """In float64: a float32 difference can seem to leave the ball by its own rounding error."""
    _check_shapes(a, b)
    return a.detach().double() - b.detach().double()


def _array(image: Tensor) -> npt.NDArray[np.float64]:
    array: npt.NDArray[np.float64] = image.detach().double().cpu().numpy()
    return array
