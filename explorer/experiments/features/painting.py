"""Painting with a classifier: it fills a marked part of a picture with what a class looks like.

Masked targeted ascent, as in the sketches and the inpainting of Santurkar et al. 2019 (arXiv
1906.09453, § 4): pixels outside the mask stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.experiments.features.ascent import ascend
from explorer.experiments.features.asked import FeatureError, IsCancelled, OnStep, classes_for
from explorer.experiments.features.synthesis import (
    MAX_STEPS,
    SynthesisFrame,
    check_epsilon,
    default_epsilon,
)
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.report import Prediction
from explorer.images.distances import l2
from explorer.images.geometry import preprocess, round_8bit

EPSILON = 5.0  # at 32 × 32: enough for an object in a part of the picture


@dataclass(frozen=True, kw_only=True)
class PaintingSettings:
    """``target`` is a class of the first classifier, ``epsilon`` the L2 length of the change.

    None is 5 at 32 × 32, scaled by the side. Raises :class:`FeatureError` for values out of range.
    """

    target: int
    epsilon: float | None = None
    steps: int = 30

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MAX_STEPS:
            raise FeatureError(f"steps must be from 1 to {MAX_STEPS:,}; they are {self.steps}")
        check_epsilon(self.epsilon)


@dataclass(frozen=True)
class Painting:
    """What one classifier painted: ``original`` and ``image`` [C, H, W], and ``mask`` [H, W].

    ``before`` and ``after`` are its predictions, ``target`` is the class's index, ``length`` the
    L2 distance between the two pictures, ``precision`` that of the gradients.
    """

    name: str
    title: str
    robust: bool
    original: Tensor
    mask: Tensor
    image: Tensor
    before: Prediction
    after: Prediction
    target: int
    length: float
    epsilon: float
    precision: str

    @property
    def share(self) -> float:
        """The part of the picture that was painted, from 0 to 1."""
        return float(self.mask.mean())


def paint(
    classifiers: Mapping[str, Classifier],
    picture: Image.Image,
    masks: Mapping[str, Tensor],
    settings: PaintingSettings,
    *,
    on_step: OnStep | None = None,
    on_frame: Callable[[SynthesisFrame], None] | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[Painting, ...]:
    """What each of ``classifiers``, by name, paints where its mask float32 [H, W] is 1.

    ``on_step(done, total)`` counts steps. Raises :class:`FeatureError` for an empty mask and for a
    class that a classifier lacks, and :class:`~explorer.errors.Cancelled`.
    """
    targets = classes_for(classifiers, settings.target)
    for name, model in classifiers.items():
        if targets[name] is None:
            raise FeatureError(f"{name} lacks the class; choose one that all classifiers have")
        if masks[name].shape != model.input_size or not masks[name].any():
            raise FeatureError("nothing is marked in the picture; brush over a part of it first")
    total, done = settings.steps * len(classifiers), 0

    def count(step: int, steps: int, loss: float) -> None:
        nonlocal done
        done += 1
        if on_step is not None:
            on_step(done, total)

    paintings = []
    for name, model in classifiers.items():
        target = targets[name]
        assert target is not None
        original = preprocess(picture, model)
        epsilon = settings.epsilon
        if epsilon is None:
            epsilon = default_epsilon(model.input_size, EPSILON)

        def show(step: int, images: Tensor, name: str = name, target: int = target) -> None:
            if on_frame is not None:
                frame = images.detach().cpu()
                on_frame(SynthesisFrame(name, step, settings.steps, (target,), frame))

        ascent = ascend(
            model,
            original[None],
            torch.tensor([target]),
            epsilon=epsilon,
            steps=settings.steps,
            mask=masks[name],
            on_step=count,
            on_image=show,
            cancelled=cancelled,
        )
        image = round_8bit(ascent.images[0])
        before, after = predict(model, torch.stack([original, image]))
        length = l2(original, image)
        paintings.append(
            Painting(
                name,
                model.title,
                model.robust,
                original,
                masks[name],
                image,
                before,
                after,
                target,
                length,
                epsilon,
                ascent.precision,
            )
        )
    return tuple(paintings)
