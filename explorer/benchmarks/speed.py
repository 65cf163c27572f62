"""The speed of the attack beside other libraries and the machine's limit, with its strength.

All libraries get the same weights, images, labels, ε and number of steps. Success and mean loss are
those of the classifier itself, in float32, on the images that a library returns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from explorer.attacks import PGD, Threat
from explorer.benchmarks.baselines import BASELINES, Attack, Baseline, Setting
from explorer.benchmarks.flops import gradient_flops, matrix_peaks
from explorer.benchmarks.rounds import (
    Clock,
    Quartiles,
    describe_error,
    gallery_images,
    ratio_quartiles,
    run_interleaved,
)
from explorer.classifiers import Classifier
from explorer.engine import gradient_model, logits_of

OURS = "explorer"


@dataclass(frozen=True)
class Measurement:
    """One library on one batch.

    ``seconds`` has a value per counted round; ``ratio`` has the quartiles of its time over ours.
    ``success`` is the fraction of the batch that the classifier gets wrong, ``loss`` its mean
    cross-entropy there. ``excess`` is how far the farthest pixel lies outside the ball or outside
    [0, 1]. Where nothing was measured, ``problem`` says why.
    """

    name: str
    seconds: tuple[float, ...] = ()
    success: float = float("nan")
    loss: float = float("nan")
    excess: float = 0.0
    ratio: Quartiles | None = None
    problem: str = ""


@dataclass(frozen=True)
class Case:
    """One classifier at one batch size.

    ``preparation`` is the seconds that the engine took once to make and measure its copies.
    ``flops`` is operations per second: those of the steps' gradients alone over the whole time.
    ``peak`` is what products of matrices reach in the type of the gradients. The first of the
    ``measurements`` is ours.
    """

    model: str
    batch: int
    setting: Setting
    precision: str
    preparation: float
    flops: float
    peak: float
    measurements: tuple[Measurement, ...]


def measure(
    classifier: Classifier,
    batch: int,
    setting: Setting,
    rounds: int,
    *,
    baselines: Sequence[Baseline] = BASELINES,
    form: str = "plain",
    precision: str = "auto",
    peaks: dict[str, float] | None = None,
    clock: Clock = time.perf_counter,
) -> Case:
    """One case. ``form`` is what the baselines get: see :func:`~.baselines.module_copy`.

    A baseline that fails is listed with its problem. Raises
    :class:`~explorer.benchmarks.rounds.BenchmarkError` where there are no images.
    """
    images, labels = gallery_images(classifier, batch)
    start = clock()
    _, used_precision = gradient_model(classifier, precision)
    preparation = clock() - start
    attacks, problems = _attacks(classifier, setting, baselines, form, precision)
    result = run_interleaved(attacks, images, labels, rounds, clock)
    if OURS in result.errors:
        raise result.errors[OURS]
    problems |= {name: describe_error(error) for name, error in result.errors.items()}
    ours = result.seconds[OURS]

    def measurement(name: str) -> Measurement:
        if name in problems:
            return Measurement(name, problem=problems[name])
        adversarial, seconds = result.adversarial[name], result.seconds[name]
        return verify(name, classifier, images, labels, adversarial, setting.epsilon, seconds, ours)

    names = (OURS, *(baseline.name for baseline in baselines))
    median = sorted(ours)[len(ours) // 2]
    peaks = matrix_peaks(classifier.device) if peaks is None else peaks
    return Case(
        model=classifier.name,
        batch=batch,
        setting=setting,
        precision=used_precision,
        preparation=preparation,
        flops=batch * setting.steps * gradient_flops(classifier) / median,
        peak=peaks.get("bfloat16" if used_precision == "bfloat16" else "float32", float("nan")),
        measurements=tuple(measurement(name) for name in names),
    )


def _attacks(
    classifier: Classifier,
    setting: Setting,
    baselines: Sequence[Baseline],
    form: str,
    precision: str,
) -> tuple[dict[str, Attack], dict[str, str]]:
    """Ours and the baselines' attacks, and the problem of each baseline that has none."""
    pgd = PGD(Threat("linf", setting.epsilon), steps=setting.steps, precision=precision)
    attacks: dict[str, Attack] = {
        OURS: lambda images, labels: pgd(classifier, images, labels).adversarial
    }
    problems: dict[str, str] = {}
    for baseline in baselines:
        if baseline.package is None:
            problems[baseline.name] = "not installed"
            continue
        try:
            attacks[baseline.name] = baseline.attack(classifier, setting, form)
        except Exception as error:  # another library may fail in any way
            problems[baseline.name] = describe_error(error)
    return attacks, problems


def verify(
    name: str,
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    adversarial: Tensor,
    epsilon: float,
    seconds: Sequence[float],
    ours: Sequence[float],
) -> Measurement:
    """What the classifier itself says of ``adversarial``, and ``seconds`` beside ``ours``."""
    logits = logits_of(classifier, adversarial)
    outside_ball = float((adversarial - images).abs().amax()) - epsilon
    outside_range = float((adversarial - adversarial.clamp(0, 1)).abs().amax())
    return Measurement(
        name,
        tuple(seconds),
        success=float((logits.argmax(dim=1) != labels).float().mean()),
        loss=float(F.cross_entropy(logits, labels)),
        excess=max(outside_ball, outside_range, 0.0),
        ratio=ratio_quartiles(seconds, ours),
    )
