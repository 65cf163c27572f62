"""One source image in each set of Ilyas et al. (2019): settings, inputs and results.

Plain objects, which the pages and the figures share. They are computed by
:mod:`explorer.experiments.ilyas2019.five_sets`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.experiments.one_image.report import Prediction

D = "d"
ORDER = (D, *CONSTRUCTIONS)  # d, d_r, d_nr, d_rand, d_det


@dataclass(frozen=True)
class FiveSetsSettings:
    """How the images are made; the defaults are for images of 32×32.

    ``step_size`` and ``epsilon`` (of D_rand and D_det) are L2 lengths in pixels of [0, 1].
    ``seed`` determines the start and the target of D_rand.
    """

    match_steps: int = 100
    attack_steps: int = 40
    step_size: float = 0.1
    epsilon: float = 0.5
    seed: int = 0

    def for_size(self, size: tuple[int, int]) -> FiveSetsSettings:
        """The same change per value, in images of ``size`` (height, width) in place of 32×32.

        The L2 lengths grow in proportion to the side.
        """
        scale = max(size) / 32
        return replace(self, step_size=self.step_size * scale, epsilon=self.epsilon * scale)


@dataclass(frozen=True)
class SourceImage:
    """The source: ``image`` float32 [3, H, W] in [0, 1].

    ``label`` is the one it carries (None: the robust classifier's prediction) and
    ``perceived_label`` the class a person sees in it (None: unknown). ``index`` is its place in its
    data, with which the random choices are seeded. ``set_name`` is the constructed set that it is
    an image of, empty for an ordinary image.
    """

    image: Tensor
    label: int | None
    perceived_label: int | None
    index: int
    set_name: str = ""


@dataclass(frozen=True)
class StartImage:
    """Where representation matching starts: ``image`` float32 [3, H, W] in [0, 1].

    ``label`` is the class a person sees in it, None for ``noise`` or where it is unknown.
    """

    image: Tensor
    label: int | None
    noise: bool = False


@dataclass(frozen=True)
class ModelInfo:
    """A classifier that predicts every image.

    ``in_pair`` says that it is one of the two with which the images are made.
    """

    name: str
    title: str
    robust: bool
    in_pair: bool


@dataclass(frozen=True)
class SetImage:
    """One image of a set: ``image`` float32 [3, H, W], rounded to k / 255, with its ``label``.

    ``perceived_label`` is the class that it is made to look like: the source's, or for D_NR the
    start's; None where that is noise or unknown. ``start`` [3, H, W] is the image at step 0 and
    ``start_label`` its class. ``objective`` float32 [T + 1] is what the steps lower: the feature
    distance for D_R and D_NR, the cross-entropy of the target for D_rand and D_det. These three are
    None for D. ``from_noise`` says that the start was noise, ``reached`` that the classifier with
    which the image was made predicts ``label``, before rounding. ``predictions`` has one prediction
    for each classifier. ``set_name`` is that of the source, for D alone.
    """

    name: str
    image: Tensor
    label: int
    perceived_label: int | None
    start: Tensor | None
    start_label: int | None
    objective: Tensor | None
    predictions: tuple[Prediction, ...]
    from_noise: bool = False
    reached: bool = True
    set_name: str = ""

    @property
    def matches_features(self) -> bool:
        """Whether it was made by representation matching (D_R and D_NR)."""
        return self.name in CONSTRUCTIONS and CONSTRUCTIONS[self.name].matches_features


@dataclass(frozen=True)
class FiveSetsResult:
    """A source and its image in each set, in :data:`ORDER`.

    ``models`` are in the order of each image's predictions; ``names`` are those of the classes.
    """

    source: SourceImage
    start: StartImage
    settings: FiveSetsSettings
    models: tuple[ModelInfo, ...]
    names: tuple[str, ...]
    images: tuple[SetImage, ...]

    def image(self, name: str) -> SetImage:
        """The image of the set ``name``."""
        return next(image for image in self.images if image.name == name)


@dataclass(frozen=True)
class ConstructionFrame:
    """An unfinished image of the set ``name`` after ``step`` of ``steps``.

    ``start`` and ``image`` are [3, H, W]; ``objective`` has its values so far, ``step`` + 1.
    """

    name: str
    step: int
    steps: int
    start: Tensor
    image: Tensor
    objective: tuple[float, ...]


@dataclass(frozen=True)
class FiveSetsProgress:
    """The finished ``images`` of a row, and the present ``frame`` of the next one."""

    images: tuple[SetImage, ...]
    frame: ConstructionFrame
