"""The answer to "bugs or features?" for one picture: the same source as D, D_R, D_NR, D_rand and D_det would hold it.

Plain objects that the page and the figures share; :mod:`explorer.experiments.ilyas2019.five_sets` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from explorer.experiments.one_image.report import Prediction

D = "d"
ORDER = (D, "d_r", "d_nr", "d_rand", "d_det")


@dataclass(frozen=True)
class Settings:
    """How the sets are made. ``step_size`` and ``epsilon`` (of D_rand and D_det) are L2 lengths in pixels of [0, 1]; ``seed`` draws
    the start and the target of D_rand."""

    match_steps: int = 100
    attack_steps: int = 40
    step_size: float = 0.1
    epsilon: float = 0.5
    seed: int = 0

    def at(self, size: tuple[int, int]) -> Settings:
        """The same for images of ``size`` where these are for 32×32: a change of the same size per value is longer in a larger one."""
        scale = max(size) / 32
        return replace(self, step_size=self.step_size * scale, epsilon=self.epsilon * scale)


@dataclass(frozen=True)
class Source:
    """The picture a row is made from: float32 [3, H, W] in [0, 1]. ``label`` is the one it carries (None: what the robust
    classifier says), ``perceived_label`` the class a person sees in it (None: nobody said), ``index`` its place in its data, which seeds the
    random choices."""

    image: Tensor
    label: int | None
    perceived_label: int | None
    index: int


@dataclass(frozen=True)
class Start:
    """Where representation matching begins: float32 [3, H, W] in [0, 1], and the class a person sees there (None: none, or
    nobody said). ``noise`` says that there is nothing to see."""

    image: Tensor
    label: int | None
    noise: bool = False


@dataclass(frozen=True)
class ModelInfo:
    """A classifier that is asked about every image of a row. ``builder`` says that it is one of the pair the row is made with."""

    name: str
    title: str
    robust: bool
    builder: bool


@dataclass(frozen=True)
class SetImage:
    """One picture as a set holds it. ``image`` float32 [3, H, W], rounded to k / 255; ``label`` what the set says it is.

    ``perceived_label`` is the class a person sees, derived from what the image was made from and kept to look like: the source for D, D_R,
    D_rand and D_det, the start for D_NR; None where that is noise or nobody said. ``start`` [3, H, W] is where it began and
    ``start_label`` its class; ``objective`` float32 [T + 1] what was lowered on the way: the feature distance of the matched sets,
    the cross-entropy of the target of the attacked ones. These three are None for D. ``from_noise`` says that the start was noise,
    ``reached`` whether the classifier it was made with gave ``label`` before rounding. ``predictions`` has what each judge says.
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

    @property
    def matched(self) -> bool:
        """Whether it was made by matching a representation (D_R, D_NR)."""
        return self.name in ("d_r", "d_nr")


@dataclass(frozen=True)
class FiveSetsResult:
    """A source and its image in each set, in :data:`ORDER`; ``models`` in the order of each image's beliefs."""

    source: Source
    start: Start
    settings: Settings
    models: tuple[ModelInfo, ...]
    names: tuple[str, ...]
    images: tuple[SetImage, ...]

    def image(self, name: str) -> SetImage:
        return next(each for each in self.images if each.name == name)


@dataclass(frozen=True)
class Frame:
    """An image in the making: where it began, its present point after ``step`` of ``steps``, and the objective so far
    (``step`` + 1 values)."""

    name: str
    step: int
    steps: int
    start: Tensor
    image: Tensor
    objective: tuple[float, ...]


@dataclass(frozen=True)
class Stage:
    """A row in the making: the images that are done, and the ``frame`` of the one in the making."""

    made: tuple[SetImage, ...]
    frame: Frame
