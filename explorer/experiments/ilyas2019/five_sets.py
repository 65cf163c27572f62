"""One source image as it would stand in each set of Ilyas et al. (2019, arXiv 1905.02175), made with a standard and a robust
classifier, stored in 8 bits, and put to every chosen classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.attacks import AttackError
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import (
    CONSTRUCTIONS,
    Construction,
    noise,
    start_index,
    target_class,
)
from explorer.datasets.constructed.representation_matching import match_representations
from explorer.datasets.constructed.targeted_attack import targeted_construction
from explorer.errors import UserError
from explorer.experiments.ilyas2019.five_sets_result import (
    ORDER,
    D,
    FiveSetsResult,
    Frame,
    ModelInfo,
    SetImage,
    Settings,
    Source,
    Stage,
    Start,
)
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.report import Prediction
from explorer.images.geometry import round_8bit


@dataclass(frozen=True)
class ModelPair:
    """The pair of classifiers the sets are made with, and others that are only asked. Raises :class:`AttackError` when their
    classes differ."""

    standard: Classifier
    robust: Classifier
    others: tuple[Classifier, ...] = ()

    def __post_init__(self) -> None:
        for other in self.classifiers:
            if other.labels != self.standard.labels or other.input_size != self.standard.input_size:
                raise AttackError(
                    f"{other.name} and {self.standard.name} differ in classes or input size; choose classifiers of the same data"
                )

    @property
    def classifiers(self) -> tuple[Classifier, ...]:
        return (self.standard, self.robust, *self.others)

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        return tuple(
            ModelInfo(each.name, each.title, each.robust, place < 2)
            for place, each in enumerate(self.classifiers)
        )

    def builder(self, construction: Construction) -> Classifier:
        """The classifier a set is made with: the robust one for D_R, the standard one for the others."""
        return self.robust if construction.robust else self.standard

    def ask(self, image: Tensor) -> tuple[Prediction, ...]:
        """What each classifier says of one image [3, H, W]."""
        return tuple(predict(each, image[None])[0] for each in self.classifiers)


def construction_for(name: str, settings: Settings) -> Construction:
    """The paper's construction with these settings. Raises ``ValueError`` for settings that can't be."""
    chosen = CONSTRUCTIONS[name]
    if chosen.matches:
        return replace(chosen, steps=settings.match_steps, step_size=settings.step_size)
    return replace(
        chosen, steps=settings.attack_steps, step_size=settings.step_size, epsilon=settings.epsilon
    )


def drawn_start(seed: int, index: int, population: int, avoid: int | None) -> int:
    """Which of ``population`` pictures matching starts from: drawn by seed and index, but not ``avoid``.

    The paper draws from all images; one picture on a page should not start at itself. Raises ``ValueError`` where there is no other.
    """
    if avoid is None:
        return start_index(seed, index, population)
    if population < 2:
        raise UserError("there is no other picture to start from; start from noise")
    drawn = start_index(seed, index, population - 1)
    return drawn + (drawn >= avoid)


def noise_start(seed: int, index: int, size: tuple[int, int]) -> Start:
    """A start of uniform noise, in which a person sees nothing."""
    return Start(round_8bit(noise(seed, index, (3, *size))), None, noise=True)


def with_label(source: Source, panel: ModelPair) -> Source:
    """The source with a label: its own, or else what the robust classifier says."""
    if source.label is not None:
        return source
    return replace(source, label=predict(panel.robust, source.image[None])[0].index)


def unchanged(source: Source, panel: ModelPair) -> SetImage:
    """The source as D holds it."""
    image = round_8bit(source.image)
    return SetImage(
        D, image, _label(source), source.perceived_label, None, None, None, panel.ask(image)
    )


def make(
    name: str,
    source: Source,
    start: Start,
    panel: ModelPair,
    settings: Settings,
    *,
    on_frame: Callable[[Frame], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SetImage:
    """The source as the set ``name`` ("d_r", "d_nr", "d_rand" or "d_det") holds it. The source must have a label (:func:`with_label`).

    ``on_frame`` is shown each point before the next step is taken. Raises :class:`~explorer.errors.Cancelled` when ``cancelled()``
    says so.
    """
    construction = construction_for(name, settings)
    builder, label = panel.builder(construction), _label(source)
    watcher = _Watcher(construction, on_frame)
    if construction.matches:
        sources, starts = (each[None].to(builder.device) for each in (source.image, start.image))
        made = match_representations(
            construction,
            builder,
            sources,
            starts,
            on_step=watcher.on_step,
            on_image=watcher.on_image,
            cancelled=cancelled,
        )
        begun, begun_label, given = start.image, start.label, label
        person = source.perceived_label if construction.robust else start.label
    else:
        given = target_class(construction, settings.seed, source.index, label, len(builder.labels))
        made = targeted_construction(
            construction,
            builder,
            source.image[None],
            torch.tensor([label]),
            torch.tensor([given]),
            on_step=watcher.on_step,
            on_image=watcher.on_image,
            cancelled=cancelled,
        )
        begun, begun_label, person = source.image, source.perceived_label, source.perceived_label
    image = round_8bit(made.images[0].cpu())
    return SetImage(
        name,
        image,
        given,
        person,
        begun,
        begun_label,
        made.objective[:, 0].cpu(),
        panel.ask(image),
        from_noise=construction.matches and start.noise,
        reached=predict(builder, made.images)[0].index == given,
    )


def make_five_sets(
    source: Source,
    start: Start,
    panel: ModelPair,
    settings: Settings,
    *,
    on_stage: Callable[[Stage], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FiveSetsResult:
    """The source in every set. ``on_stage`` follows each step; raises what :func:`make` raises."""
    source = with_label(source, panel)
    images = [unchanged(source, panel)]
    for name in ORDER[1:]:
        made = tuple(images)

        def on_frame(frame: Frame, made: tuple[SetImage, ...] = made) -> None:
            if on_stage is not None:
                on_stage(Stage(made, frame))

        images.append(
            make(name, source, start, panel, settings, on_frame=on_frame, cancelled=cancelled)
        )
    return FiveSetsResult(
        source, start, settings, panel.models, panel.standard.labels, tuple(images)
    )


def _label(source: Source) -> int:
    if source.label is None:
        raise ValueError("the source has no label yet; settle it first")
    return source.label


class _Watcher:
    """Puts an image and the objective there together: a construction tells them one after the other."""

    def __init__(
        self, construction: Construction, on_frame: Callable[[Frame], None] | None
    ) -> None:
        self._construction, self._on_frame = construction, on_frame
        self._start: Tensor | None = None
        self._image: Tensor | None = None
        self._objective: list[float] = []

    def on_image(self, step: int, images: Tensor) -> None:
        self._image = images[0].cpu()
        if self._start is None:
            self._start = self._image

    def on_step(self, done: int, steps: int, value: float) -> None:
        # The value belongs to the point before this step; an attack tells what it raises, which is minus the cross-entropy.
        self._objective.append(value if self._construction.matches else -value)
        if self._on_frame is not None and self._start is not None and self._image is not None:
            self._on_frame(
                Frame(
                    self._construction.name,
                    done - 1,
                    steps,
                    self._start,
                    self._image,
                    tuple(self._objective),
                )
            )
