"""One source image in each set of Ilyas et al. (2019, arXiv 1905.02175).

The images are made with a standard and a robust classifier, rounded to 8 bits, and classified by
these two and by others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

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
    ConstructionFrame,
    D,
    FiveSetsProgress,
    FiveSetsResult,
    FiveSetsSettings,
    SetImage,
    SourceImage,
    StartImage,
)
from explorer.experiments.ilyas2019.model_pair import ModelPair
from explorer.experiments.one_image.attack_image import predict
from explorer.images.geometry import round_8bit


def construction_for(name: str, settings: FiveSetsSettings) -> Construction:
    """The paper's construction with these settings.

    Raises :class:`~explorer.errors.UserError` for settings out of range.
    """
    construction = replace(CONSTRUCTIONS[name], step_size=settings.step_size)
    if construction.matches_features:
        return replace(construction, steps=settings.match_steps)
    return replace(construction, steps=settings.attack_steps, epsilon=settings.epsilon)


def other_start_index(seed: int, index: int, population: int, own: int | None) -> int:
    """Which of ``population`` pictures matching starts from: random, but not the picture ``own``.

    The paper starts from any image; a single picture should not start from itself. The choice is
    determined by seed and index. Raises :class:`~explorer.errors.UserError` if there is no other
    picture.
    """
    if own is None:
        return start_index(seed, index, population)
    if population < 2:
        raise UserError("there is no other picture to start from; start from noise")
    place = start_index(seed, index, population - 1)
    return place + (place >= own)


def noise_start(seed: int, index: int, size: tuple[int, int], channels: int = 3) -> StartImage:
    """A start of uniform noise of ``size`` (height, width), in 8 bits."""
    return StartImage(round_8bit(noise(seed, index, (channels, *size))), None, noise=True)


def with_label(source: SourceImage, models: ModelPair) -> SourceImage:
    """The source with a label: its own or, without one, the robust classifier's prediction."""
    if source.label is not None:
        return source
    return replace(source, label=predict(models.robust, source.image[None])[0].index)


def unchanged_image(source: SourceImage, models: ModelPair) -> SetImage:
    """The source as D has it."""
    image, label, perceived = round_8bit(source.image), _label(source), source.perceived_label
    predictions = models.predict(image)
    return SetImage(
        D, image, label, perceived, None, None, None, predictions, set_name=source.set_name
    )


def make_set_image(
    name: str,
    source: SourceImage,
    start: StartImage,
    models: ModelPair,
    settings: FiveSetsSettings,
    *,
    on_frame: Callable[[ConstructionFrame], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SetImage:
    """The source as the set ``name`` ("d_r", "d_nr", "d_rand" or "d_det") has it.

    The source must have a label (:func:`with_label`). ``on_frame`` is called at each point before
    the next step. Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    construction, label = construction_for(name, settings), _label(source)
    classifier = models.classifier_for(construction)
    frames = _Frames(construction, on_frame)
    if construction.matches_features:
        target, begin = label, start
        result = match_representations(
            construction,
            classifier,
            source.image[None].to(classifier.device),
            start.image[None].to(classifier.device),
            on_step=frames.on_step,
            on_image=frames.on_image,
            cancelled=cancelled,
        )
    else:
        classes = len(classifier.labels)
        target = target_class(construction, settings.seed, source.index, label, classes)
        begin = StartImage(source.image, source.perceived_label)
        result = targeted_construction(
            construction,
            classifier,
            source.image[None],
            torch.tensor([label]),
            torch.tensor([target]),
            on_step=frames.on_step,
            on_image=frames.on_image,
            cancelled=cancelled,
        )
    image = round_8bit(result.images[0].cpu())
    return SetImage(
        name,
        image,
        target,
        construction.perceived_label(source.perceived_label, start.label),
        begin.image,
        begin.label,
        result.objective[:, 0].cpu(),
        models.predict(image),
        from_noise=begin.noise,
        reached=predict(classifier, result.images)[0].index == target,
    )


def make_five_sets(
    source: SourceImage,
    start: StartImage,
    models: ModelPair,
    settings: FiveSetsSettings,
    *,
    on_progress: Callable[[FiveSetsProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FiveSetsResult:
    """The source in every set. Raises what :func:`make_set_image` raises.

    ``on_progress`` is called at each point before the next step.
    """
    source = with_label(source, models)
    images = [unchanged_image(source, models)]

    def on_frame(frame: ConstructionFrame) -> None:
        if on_progress is not None:
            on_progress(FiveSetsProgress(tuple(images), frame))

    for name in CONSTRUCTIONS:
        image = make_set_image(
            name, source, start, models, settings, on_frame=on_frame, cancelled=cancelled
        )
        images.append(image)
    names = models.standard.labels
    return FiveSetsResult(source, start, settings, models.infos, names, tuple(images))


def _label(source: SourceImage) -> int:
    if source.label is None:
        raise ValueError("the source has no label; call with_label first")
    return source.label


class _Frames:
    """Makes frames of the images and objectives that a construction reports one after the other."""

    def __init__(
        self, construction: Construction, on_frame: Callable[[ConstructionFrame], None] | None
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
        """Report the point before this step, to which ``value`` belongs."""
        # An attack reports its loss, which is minus the cross-entropy of the target.
        self._objective.append(value if self._construction.matches_features else -value)
        if self._on_frame is not None and self._start is not None and self._image is not None:
            name, objective = self._construction.name, tuple(self._objective)
            self._on_frame(
                ConstructionFrame(name, done - 1, steps, self._start, self._image, objective)
            )
