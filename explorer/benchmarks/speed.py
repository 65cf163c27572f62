"""How quick the attack is beside other libraries' and beside what the machine can do; never without how strong it was.

Everybody gets the same weights, images, labels, ε and number of steps; rounds are interleaved in one process, so that a busy machine
slows all alike, and a ratio is taken within its round. Success and mean loss are the classifier's own word, in float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from explorer.attacks import PGD
from explorer.attacks.threat import Threat
from explorer.benchmarks.baselines import BASELINES, Attack, Baseline, Setting
from explorer.classifiers import Classifier
from explorer.engine.batching import logits_of
from explorer.engine.convolution import PackedConv
from explorer.engine.precision import at_precision
from explorer.errors import UserError
from explorer.images.gallery import samples
from explorer.images.geometry import view

OURS = "explorer"
NOISE = 0.02  # how far copies of a sample are apart, in pixels of [0, 1]
MATRICES = {"cpu": (1024, 2048), "cuda": (4096, 8192)}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

Clock = Callable[[], float]


class BenchmarkError(UserError):
    """A measurement that can't be made as asked."""


@dataclass(frozen=True)
class Measured:
    """One library on one batch. ``seconds`` for each counted round; ``ratio`` is its time over ours, round by round: the median and the
    middle half. ``success`` is the share of the batch the classifier gets wrong, ``loss`` its mean cross-entropy there, ``excess`` how
    far the farthest value lies beyond ε, in pixels of [0, 1]. ``problem`` says why there is nothing to tell."""

    name: str
    seconds: tuple[float, ...] = ()
    success: float = float("nan")
    loss: float = float("nan")
    excess: float = 0.0
    ratio: tuple[float, float, float] | None = None  # lower quartile, median, upper quartile
    problem: str = ""


@dataclass(frozen=True)
class Case:
    """One classifier at one batch size: ours first. ``prepared_in`` seconds the engine took once, to copy, fold and measure;
    ``flops`` a second in the steps' gradients alone, over the whole time; ``peak`` what matrices reach in the type climbed in."""

    model: str
    batch: int
    setting: Setting
    precision: str
    prepared_in: float
    flops: float
    peak: float
    measured: tuple[Measured, ...]


def same_images(classifier: Classifier, batch: int) -> tuple[Tensor, Tensor]:
    """Images [batch, 3, H, W] from the gallery, repeated with a little noise of their own, and what the classifier calls them."""
    pictures = samples(classifier.gallery)
    if not pictures:
        raise BenchmarkError(
            "there are no sample pictures to attack; install foolbox, which brings them"
        )
    fitted = [view(item.read(), classifier) for item in pictures[:batch]]
    generator = torch.Generator().manual_seed(0)
    rows = []
    for i in range(batch):
        image = fitted[i % len(fitted)]
        if i >= len(fitted):
            image = image + NOISE * (2 * torch.rand(image.shape, generator=generator) - 1)
        rows.append(image.clamp(0, 1))
    images = torch.stack(rows).to(classifier.device)
    return images, logits_of(classifier, images).argmax(dim=1)


def our_attack(classifier: Classifier, setting: Setting, precision: str = "auto") -> Attack:
    """PGD as it comes, with no other setting than those the others get."""
    attack = PGD(Threat("linf", setting.epsilon), steps=setting.steps, precision=precision)
    return lambda images, labels: attack(classifier, images, labels).adversarial


def interleaved(
    attacks: dict[str, Attack],
    images: Tensor,
    labels: Tensor,
    rounds: int,
    clock: Clock = time.perf_counter,
) -> tuple[dict[str, list[float]], dict[str, Tensor], dict[str, str]]:
    """Seconds of each attack in each of ``rounds``, what it returned in a first round that isn't counted, and what went wrong with
    those that failed. Each round begins with another attack."""
    waiting, seconds, found, failed = dict(attacks), {name: [] for name in attacks}, {}, {}  # type: ignore[var-annotated]
    for done in range(rounds + 1):
        order = list(waiting)
        shift = done % max(1, len(order))
        for name in order[shift:] + order[:shift]:
            torch.manual_seed(0)  # the libraries draw their starts from the global state
            given, called = images.clone(), labels.clone()
            started = clock()
            try:
                adversarial = waiting[name](given, called).detach()
                _wait(images.device)
            except Exception as error:  # somebody else's code may fail in any way; the others are measured all the same
                failed[name] = _sentence(error)
                del waiting[name]
                continue
            took = clock() - started
            if done == 0:
                found[name] = adversarial
            else:
                seconds[name].append(took)
    return {name: seconds[name] for name in waiting}, found, failed


def judged(
    name: str,
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    adversarial: Tensor,
    epsilon: float,
    seconds: Sequence[float],
    ours: Sequence[float],
) -> Measured:
    """What the classifier itself says of ``adversarial``, and the time beside ours."""
    adversarial = adversarial.detach()
    logits = logits_of(classifier, adversarial)
    beyond = max(
        float((adversarial - images).abs().amax()) - epsilon,
        float((adversarial - adversarial.clamp(0, 1)).abs().amax()),
        0.0,
    )
    return Measured(
        name,
        tuple(seconds),
        float((logits.argmax(dim=1) != labels).float().mean()),
        float(F.cross_entropy(logits, labels)),
        beyond,
        ratio_of(seconds, ours),
    )


def ratio_of(theirs: Sequence[float], ours: Sequence[float]) -> tuple[float, float, float]:
    """Quartiles of their time over ours, round by round."""
    ratios = torch.tensor([a / b for a, b in zip(theirs, ours, strict=True)], dtype=torch.float64)
    low, middle, high = torch.quantile(
        ratios, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    ).tolist()
    return low, middle, high


def measure(
    classifier: Classifier,
    batch: int,
    setting: Setting,
    rounds: int,
    *,
    peers: Sequence[Baseline] = BASELINES,
    module: str = "plain",
    precision: str = "auto",
    peaks: dict[str, float] | None = None,
    clock: Clock = time.perf_counter,
) -> Case:
    """One case. ``module`` is what the peers get: "plain", as torchvision hands networks out, or "frozen", as we do."""
    images, labels = same_images(classifier, batch)
    started = clock()
    _, climbed_in = at_precision(classifier, precision)
    prepared_in = clock() - started
    attacks, problems = {OURS: our_attack(classifier, setting, precision)}, {}
    for peer in peers:
        if peer.package is None:
            problems[peer.name] = "not installed"
            continue
        try:
            attacks[peer.name] = peer.attack(classifier, setting, module)
        except Exception as error:  # somebody else's code may fail in any way
            problems[peer.name] = _sentence(error)
    seconds, found, failed = interleaved(attacks, images, labels, rounds, clock)
    if OURS in failed:
        raise BenchmarkError(failed[OURS])
    problems |= failed
    measured = [
        Measured(name, problem=problems[name])
        if name in problems
        else judged(
            name,
            classifier,
            images,
            labels,
            found[name],
            setting.epsilon,
            seconds[name],
            seconds[OURS],
        )
        for name in (OURS, *(peer.name for peer in peers))
    ]
    middle = sorted(seconds[OURS])[len(seconds[OURS]) // 2]
    flops = batch * setting.steps * gradient_flops(classifier) / middle
    climbed_type = "bfloat16" if climbed_in == "bfloat16" else "float32"
    peak = (peaks if peaks is not None else matrix_peaks(classifier.device)).get(
        climbed_type, float("nan")
    )
    return Case(
        classifier.name, batch, setting, climbed_in, prepared_in, flops, peak, tuple(measured)
    )


def gradient_flops(classifier: Classifier) -> int:
    """Floating-point operations of one image's logits and their gradient for the image, in the classifier as it is."""
    image = torch.full(
        (1, 3, *classifier.input_size), 0.5, device=classifier.device, requires_grad=True
    )
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        torch.autograd.grad(classifier(image).sum(), image)
    return int(counter.get_total_flops())


def matrix_peaks(
    device: torch.device, clock: Clock = time.perf_counter, sizes: Sequence[int] | None = None
) -> dict[str, float]:
    """Operations a second in the best of a few products of square matrices, by type."""
    best: dict[str, float] = {}
    for name, dtype in DTYPES.items():
        for side in sizes or MATRICES[device.type]:
            left, right = torch.randn(2, side, side, device=device).to(dtype).unbind()
            products: list[Callable[[], Tensor]] = [partial(torch.mm, left, right)]
            # Weights laid out beforehand, as the engine's are, can be twice as quick.
            if device.type == "cpu" and torch.backends.mkldnn.is_available():
                image = left.view(1, side, side, 1).contiguous(memory_format=torch.channels_last)
                conv = nn.Conv2d(side, side, 1).to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
                part = PackedConv.of(conv, image.shape)
                products.append(partial(part, image, relu=False))
            for product in products * 5:
                _wait(device)
                started = clock()
                product()
                _wait(device)
                best[name] = max(best.get(name, 0.0), 2 * side**3 / (clock() - started))
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _sentence(error: Exception) -> str:
    first = (str(error).strip() or "no word why").splitlines()[0]
    return f"failed: {type(error).__name__}: {first[:200]}"
