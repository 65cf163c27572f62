"""Attacks timed against each other.

All attacks get the same images and labels. Rounds are interleaved in one process, so that a busy
machine slows all attacks alike, and a ratio is taken within its round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.benchmarks.baselines import Attack
from explorer.classifiers import Classifier
from explorer.engine import logits_of
from explorer.errors import UserError
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess

NOISE = 0.02  # the largest difference between copies of a sample, in pixels of [0, 1]

Clock = Callable[[], float]
Quartiles = tuple[float, float, float]


class BenchmarkError(UserError):
    """A measurement that can't be made on this machine."""


@dataclass(frozen=True)
class Rounds:
    """What each attack did: ``seconds`` per counted round, and its images in an uncounted first.

    An attack that failed has neither; its exception is in ``errors``.
    """

    seconds: dict[str, list[float]]
    adversarial: dict[str, Tensor] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)


def gallery_images(classifier: Classifier, batch: int) -> tuple[Tensor, Tensor]:
    """Images [batch, 3, H, W] of the gallery, and the classes that the classifier predicts.

    Where the gallery has too few, they are repeated with a little noise. Raises
    :class:`BenchmarkError` where there are none.
    """
    pictures = samples(classifier.gallery)
    if not pictures:
        raise BenchmarkError(
            "there are no sample pictures to attack; install foolbox, which brings them"
        )
    originals = [preprocess(picture.read(), classifier) for picture in pictures[:batch]]
    generator = torch.Generator().manual_seed(0)
    rows = []
    for i in range(batch):
        image = originals[i % len(originals)]
        if i >= len(originals):
            image = image + NOISE * (2 * torch.rand(image.shape, generator=generator) - 1)
        rows.append(image.clamp(0, 1))
    images = torch.stack(rows).to(classifier.device)
    return images, logits_of(classifier, images).argmax(dim=1)


def run_interleaved(
    attacks: dict[str, Attack],
    images: Tensor,
    labels: Tensor,
    rounds: int,
    clock: Clock = time.perf_counter,
) -> Rounds:
    """``rounds`` counted rounds of all attacks, after one that is not counted.

    Each round begins with another attack.
    """
    result = Rounds({name: [] for name in attacks})
    for number in range(rounds + 1):
        order = list(result.seconds)
        shift = number % max(1, len(order))
        for name in order[shift:] + order[:shift]:
            torch.manual_seed(0)  # the libraries draw their starts from the global state
            own_images, own_labels = images.clone(), labels.clone()
            start = clock()
            try:
                adversarial = attacks[name](own_images, own_labels).detach()
                synchronize(images.device)
            except Exception as error:  # another library may fail in any way
                result.errors[name] = error
                result.adversarial.pop(name, None)
                del result.seconds[name]
                continue
            seconds = clock() - start
            if number == 0:
                result.adversarial[name] = adversarial
            else:
                result.seconds[name].append(seconds)
    return result


def ratio_quartiles(seconds: Sequence[float], reference: Sequence[float]) -> Quartiles:
    """Quartiles of ``seconds`` over ``reference``, round by round."""
    ratios = [a / b for a, b in zip(seconds, reference, strict=True)]
    quantiles = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    low, middle, high = torch.quantile(
        torch.tensor(ratios, dtype=torch.float64), quantiles
    ).tolist()
    return low, middle, high


def load_tolerant_clock(device: torch.device) -> Clock:
    """The processor's time where one thread of a CPU computes, which other programs change little.

    Elsewhere it is the time on the wall.
    """
    one_thread = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if one_thread else time.perf_counter


def synchronize(device: torch.device) -> None:
    """Wait for all work on ``device``."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def describe_error(error: Exception) -> str:
    """The exception of another library's attack as one line of a table."""
    first_line = (str(error).strip() or "without a message").splitlines()[0]
    return f"failed: {type(error).__name__}: {first_line[:200]}"
