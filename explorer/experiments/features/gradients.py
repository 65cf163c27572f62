"""The gradient of a class for the pixels, of several classifiers for one picture.

The plain gradient (Simonyan, Vedaldi and Zisserman 2014, arXiv 1312.6034) and its mean over noisy
copies, SmoothGrad (Smilkov et al. 2017, arXiv 1706.03825). That those of robust classifiers show
objects was seen by Tsipras et al. 2019 (arXiv 1805.12152).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.attacks.losses import cross_entropy
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import gradient_model, logits_of, map_chunks
from explorer.errors import Cancelled
from explorer.experiments.compare import Note
from explorer.experiments.features.asked import (
    FeatureError,
    IsCancelled,
    OnStep,
    classes_for,
    missing_note,
)
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.report import Prediction
from explorer.images.geometry import preprocess

LOGIT, LOSS = "logit", "loss"
OBJECTIVES = (LOGIT, LOSS)
MAX_COPIES = 500
COPIES = 24
# Copies whose gradients are taken at once. A float32 convolution gives a sample the same bits in
# every batch of at least 8.
_BATCH = 8
PERCENTILE = 99
ZERO_GRADIENT = Note(
    "zero-gradient",
    "Its gradient is zero everywhere, as behind a rounding: it says nothing of what the classifier "
    "responds to.",
)


@dataclass(frozen=True, kw_only=True)
class GradientSettings:
    """Which gradient is taken.

    ``of`` is "logit", that of the class, or "loss", the cross-entropy of the class. ``copies`` is
    the number of noisy copies of SmoothGrad, 0 for the plain gradient alone, and ``spread`` the
    standard deviation of their noise as a share of the picture's range of values. ``label`` is a
    class index of the first classifier; None stands for the prediction of each. Raises
    :class:`FeatureError` for values out of range.
    """

    of: str = LOGIT
    copies: int = COPIES
    spread: float = 0.05  # with 0.15 no copy of a CIFAR-10 picture keeps its class
    label: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.of not in OBJECTIVES:
            raise FeatureError(f"a gradient is of a logit or of the loss, not of {self.of!r}")
        if not 0 <= self.copies <= MAX_COPIES:
            raise FeatureError(
                f"SmoothGrad takes at most {MAX_COPIES} noisy copies, and 0 for none; "
                f"these are {self.copies}"
            )
        if not 0 < self.spread <= 1:
            raise FeatureError(f"the noise must be above 0 and at most 1; it is {self.spread:g}")

    def with_label(self, label: int | None) -> GradientSettings:
        """The same settings for this class."""
        return replace(self, label=label)


@dataclass(frozen=True)
class ClassifierGradients:
    """One classifier's gradients, float32 [C, H, W], at ``image`` [C, H, W] for class ``label``.

    ``plain`` is the gradient of the logit, or of the loss, per pixel of [0, 1]; ``smooth`` its mean
    over noisy copies, None without copies. ``name`` is the classifier's in recipes, ``title`` what
    the pages call it. ``notes`` say what a reader should know of these gradients.
    """

    name: str
    title: str
    robust: bool
    image: Tensor
    prediction: Prediction
    label: int
    plain: Tensor
    smooth: Tensor | None
    notes: tuple[Note, ...] = ()

    @property
    def label_name(self) -> str:
        """The name of the class whose gradient this is."""
        return self.prediction.names[self.label]


def gradients(
    classifiers: Mapping[str, Classifier],
    picture: Image.Image,
    settings: GradientSettings,
    *,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[ClassifierGradients, ...]:
    """The gradients of ``classifiers``, by name, for ``picture``, in their order.

    All of them see the same noise, which depends on the seed and the shape of their input alone.
    ``on_step(done, total)`` counts batches. Raises :class:`FeatureError` for a class that the first
    classifier lacks, and :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    labels = classes_for(classifiers, settings.label)
    done, total = 0, len(classifiers) * _batches(settings)

    def step() -> None:
        nonlocal done
        done += 1
        if on_step is not None:
            on_step(done, total)

    answers: list[ClassifierGradients] = []
    for name, model in classifiers.items():
        _check(cancelled)
        image = preprocess(picture, model)
        prediction = predict(model, image[None])[0]
        asked = labels[name]
        label = prediction.index if asked is None else asked
        missing = missing_note(classifiers, settings.label, prediction) if asked is None else ""
        plain = input_gradients(model, image[None], label, settings.of)[0]
        step()
        smooth, steady = _smooth(model, image, label, settings, step, cancelled)
        notes = (
            *((Note("class", missing),) if missing else ()),
            *((ZERO_GRADIENT,) if not bool(plain.any()) else ()),
            *((_unsteady(steady, settings),) if 2 * steady < settings.copies else ()),
        )
        answers.append(
            ClassifierGradients(
                name, model.title, model.robust, image, prediction, label, plain, smooth, notes
            )
        )
    return tuple(answers)


def _smooth(
    classifier: Classifier,
    image: Tensor,
    label: int,
    settings: GradientSettings,
    step: Callable[[], None],
    cancelled: IsCancelled | None,
) -> tuple[Tensor | None, int]:
    """The mean gradient over the noisy copies, which are taken in batches; None without copies.

    Then follows the number of copies of which the classifier says what it says of the image.
    """
    if not settings.copies:
        return None, 0
    summed, steady = torch.zeros(image.shape, dtype=torch.float64), 0
    own = logits_of(classifier, image[None].to(classifier.device)).argmax(dim=1)
    for first in range(0, settings.copies, _BATCH):
        _check(cancelled)
        noisy = noisy_copies(image, settings, range(first, min(first + _BATCH, settings.copies)))
        summed += input_gradients(classifier, noisy, label, settings.of).double().sum(0)
        said = logits_of(classifier, noisy.to(classifier.device)).argmax(dim=1)
        steady += int((said == own).sum())
        step()
    return (summed / settings.copies).float(), steady


def _unsteady(steady: int, settings: GradientSettings) -> Note:
    return Note(
        "noise",
        f"only {steady} of the {settings.copies} noisy copies have the picture's class to this "
        "classifier, so that SmoothGrad says more about the noise than about the picture. Try less "
        "noise.",
    )


def _batches(settings: GradientSettings) -> int:
    """How many batches one classifier evaluates: the picture itself, then its copies."""
    return 1 + -(-settings.copies // _BATCH)


def _check(cancelled: IsCancelled | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled


def gradients_by_kind(each: ClassifierGradients) -> dict[str, Tensor]:
    """The gradients by their kind, "plain" and "smoothgrad"."""
    plain = {"plain": each.plain}
    return plain if each.smooth is None else plain | {"smoothgrad": each.smooth}


class _Gradient(NamedTuple):
    gradient: Tensor


def input_gradients(classifier: Classifier, images: Tensor, label: int, of: str = LOGIT) -> Tensor:
    """The gradient of a class at each of ``images`` [N, C, H, W], float32 of the same shape.

    ``of`` is "logit" or "loss" as in :class:`GradientSettings`. The classifier is in evaluation
    mode meanwhile.
    """
    with evaluation_mode(classifier):
        model, _ = gradient_model(classifier, "float32")
        pixels = images.detach().to(classifier.device)

        def evaluate(rows: slice) -> _Gradient:
            logits, vjp = model.logits_vjp(pixels[rows])
            classes = torch.full((len(logits),), label, device=logits.device)
            if of == LOGIT:
                return _Gradient(vjp(torch.nn.functional.one_hot(classes, logits.shape[1]).float()))
            loss = cross_entropy(logits, classes)
            scale = loss.scale.view(-1, *[1] * (pixels.dim() - 1))
            return _Gradient(vjp(loss.logit_direction) * scale)

        return map_chunks(model, pixels, evaluate, kind="input gradient").gradient.cpu()


def noisy_copies(image: Tensor, settings: GradientSettings, numbers: range) -> Tensor:
    """The noisy copies of ``image`` [C, H, W] with these numbers, [N, C, H, W], not clipped.

    The noise of a copy depends on the seed, its number and the shape alone.
    """
    deviation = settings.spread * float(image.max() - image.min())
    draws = []
    for number in numbers:
        generator = torch.Generator().manual_seed((settings.seed * 1_000_003 + number) % 2**63)
        draws.append(torch.randn(image.shape, generator=generator))
    return image + deviation * torch.stack(draws)


def channel_sum(gradient: Tensor) -> Tensor:
    """The sum over the channels of a gradient [C, H, W], which is [H, W]."""
    return gradient.sum(dim=0)


def scale_of(values: Tensor) -> float:
    """The value that a map shows in its strongest colour: the 99th percentile of |``values``|.

    The same rule holds for each classifier, so that maps of large and of small gradients are
    equally strong. It is 0 where all values are.
    """
    magnitudes = values.abs().flatten()
    percentile = float(np.percentile(magnitudes.numpy(), PERCENTILE))
    return percentile if percentile > 0 else float(magnitudes.max())


def neighbour_correlation(gradient: Tensor) -> float:
    """The correlation of neighbouring pixels of a gradient [C, H, W], from −1 to 1.

    It is the covariance of a value with those beside it and below it in its channel, over the
    variance: about 0 for static, and more for contours and areas. It is 0 for a constant.
    """
    values = gradient.double()
    values = values - values.mean(dim=(1, 2), keepdim=True)
    variance = float((values**2).mean())
    if variance == 0:
        return 0.0
    across = (values[:, :, 1:] * values[:, :, :-1]).flatten()
    down = (values[:, 1:, :] * values[:, :-1, :]).flatten()
    return float(torch.cat([across, down]).mean()) / variance
