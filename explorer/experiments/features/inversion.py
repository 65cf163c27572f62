"""The inversion of a representation: from noise to a picture with the features of another one.

Engstrom et al. 2019, "Adversarial Robustness as a Prior for Learned Representations" (arXiv
1906.00945): minimise ‖g(x) − g(target)‖₂ over x, with g the penultimate activations. For a robust
classifier the result looks like the target, for a standard one it need not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.datasets.constructed.constructions import NOISE, Construction
from explorer.datasets.constructed.representation_matching import match_representations
from explorer.engine import gradient_model
from explorer.experiments.features.asked import FeatureError, IsCancelled, OnStep
from explorer.experiments.features.starts import GREY, STARTS_FROM_NOISE, start_of
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.report import Prediction
from explorer.images.distances import l2, ssim
from explorer.images.geometry import preprocess, round_8bit

STEP, LAST_STEP, SIDE = 1.0, 0.02, 32  # L2 lengths at this side; longer in a larger picture
MAX_STEPS = 10_000


@dataclass(frozen=True, kw_only=True)
class InversionSettings:
    """``steps`` along the normalised gradient, which shrink from 1 to 0.02 in L2 at 32 × 32.

    200 of them come as near as the paper's thousand of 0.1. ``start`` is "noise", uniform in
    [0, 1], or "grey", faint noise on middle grey, which depends on the ``seed``.
    """

    steps: int = 200
    start: str = GREY
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MAX_STEPS:
            raise FeatureError(f"steps must be from 1 to {MAX_STEPS:,}; they are {self.steps}")
        if self.start not in STARTS_FROM_NOISE:
            raise FeatureError(
                f"a start is one of {', '.join(STARTS_FROM_NOISE)}, not {self.start!r}"
            )


@dataclass(frozen=True)
class Inversion:
    """What one classifier's features of ``picture`` [C, H, W] led to, from ``start`` to ``image``.

    ``distances`` [T + 1] are ‖g(x) − g(picture)‖₂ at the start and after each step, relative to
    ‖g(picture)‖₂; the image is the nearest of all points, rounded to 8 bits, and ``nearest`` is
    its own relative distance. ``pixel_distance`` (L2) and ``similarity`` (SSIM) compare the image
    with the picture, and ``start_similarity`` the start with it. ``precision`` is that of the
    gradients.
    """

    name: str
    title: str
    robust: bool
    picture: Tensor
    start: Tensor
    image: Tensor
    target: Prediction
    prediction: Prediction
    distances: tuple[float, ...]
    nearest: float
    pixel_distance: float
    similarity: float
    start_similarity: float
    precision: str


@dataclass(frozen=True)
class InversionFrame:
    """The picture [C, H, W] under way, of classifier ``name`` at ``step``."""

    name: str
    step: int
    steps: int
    image: Tensor


def invert(
    classifiers: Mapping[str, Classifier],
    picture: Image.Image,
    settings: InversionSettings,
    *,
    on_step: OnStep | None = None,
    on_frame: Callable[[InversionFrame], None] | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[Inversion, ...]:
    """The inversion of ``picture`` by each of ``classifiers``, by name, in their order.

    The noise depends on the seed and the size of the input, so that classifiers of one size begin
    alike. ``on_step(done, total)`` counts steps. Raises a :class:`~explorer.errors.UserError` for
    a classifier without features, and :class:`~explorer.errors.Cancelled`.
    """
    total, done = settings.steps * len(classifiers), 0

    def count(step: int, steps: int, distance: float) -> None:
        nonlocal done
        done += 1
        if on_step is not None:
            on_step(done, total)

    answers = []
    for name, model in classifiers.items():
        target = preprocess(picture, model)
        start = round_8bit(start_of(settings.start, settings.seed, 0, tuple(target.shape)))

        def show(step: int, images: Tensor, name: str = name) -> None:
            if on_frame is not None:
                frame = images[0].detach().cpu()
                on_frame(InversionFrame(name, step, settings.steps, frame))

        with evaluation_mode(model):
            result = match_representations(
                _construction(model, settings),
                model,
                target[None].to(model.device),
                start[None].to(model.device),
                on_step=count,
                on_image=show,
                cancelled=cancelled,
            )
        objective = result.objective[:, 0].cpu()
        image = round_8bit(result.images[0].cpu())
        answers.append(_inversion(name, model, target, start, image, objective))
    return tuple(answers)


def _construction(model: Classifier, settings: InversionSettings) -> Construction:
    scale = (model.input_size[0] * model.input_size[1]) ** 0.5 / SIDE
    return Construction(
        "inversion",
        "inversion",
        model.robust,
        settings.steps,
        STEP * scale,
        start=NOISE,
        last_step_size=LAST_STEP * scale,
    )


def _inversion(
    name: str, model: Classifier, target: Tensor, start: Tensor, image: Tensor, objective: Tensor
) -> Inversion:
    with torch.no_grad(), evaluation_mode(model):
        features = model.features(torch.stack([target, image]).to(model.device)).cpu()
    length = max(float(features[0].norm()), 1e-12)
    answers = predict(model, torch.stack([target, image]))
    return Inversion(
        name=name,
        title=model.title,
        robust=model.robust,
        picture=target,
        start=start,
        image=image,
        target=answers[0],
        prediction=answers[1],
        distances=tuple((objective / length).tolist()),
        nearest=float((features[1] - features[0]).norm()) / length,
        pixel_distance=l2(target, image),
        similarity=ssim(target, image),
        start_similarity=ssim(target, start),
        precision=gradient_model(model, "auto")[1],
    )
