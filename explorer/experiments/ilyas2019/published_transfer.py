"""Figure 3 of Ilyas et al. (2019, arXiv 1905.02175): to which architectures attacks transfer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedTransfer:
    """One point of the figure; shares from 0 to 1, read off its pixels to ±0.005.

    ``accuracy`` is that of the architecture trained on D_det of a ResNet-50, on clean test images;
    ``transfer`` is how often attacks on the ResNet-50 fool it.
    """

    architecture: str
    accuracy: float
    transfer: float


FIGURE_3 = (
    PublishedTransfer("VGG-16", 0.280, 0.658),
    PublishedTransfer("Inception-v3", 0.394, 0.828),
    PublishedTransfer("ResNet-18", 0.409, 0.921),
    PublishedTransfer("DenseNet", 0.417, 0.927),
    PublishedTransfer("ResNet-50", 0.447, 1.0),
)
