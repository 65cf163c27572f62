"""A trial run: a model that a person brings fails here, and not in the middle of a command."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from explorer.classifiers.classifier import Classifier, weight_dtype
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.outputs import PROBABILITIES, are_probabilities
from explorer.errors import is_out_of_memory, type_and_message

_CHANNELS = re.compile(r"to have (\d+) channels, but got (\d+) channels")  # torch's words
_SHAPES = "shapes cannot be multiplied"
PROBABILITIES_TEXT = (
    "{name} returns probabilities, so every confidence shown is wrong and attacks on it are weaker "
    "than they should be"
)
PROBABILITIES_ADVICE = (
    'add :probabilities to its name, or give its Classifier outputs="probabilities": either takes '
    "their logarithms"
)

_SIGMOID = (
    "{name} returns numbers between 0 and 1 that do not add up to 1, as a sigmoid does; they are "
    "taken for logits, so every confidence shown is too close to the others and attacks on it are "
    "weaker than they should be; return the values before the sigmoid"
)
_NEAR_ZERO = 0.4


def trial_run(classifier: Classifier) -> Tensor:
    """Logits float32 [1, C] of one image of noise.

    Raises :class:`ClassifierError` when the forward pass fails, except for want of memory, and when
    a classifier of probabilities returns anything else. The state of torch's random numbers stays
    as it is.
    """
    outputs = _outputs(classifier, _noise(classifier, 0))
    if classifier.outputs == PROBABILITIES and not are_probabilities(
        outputs, weight_dtype(classifier.module)
    ):
        raise ClassifierError(
            f'{classifier.name} does not return probabilities; leave "probabilities" out'
        )
    return classifier.logits_from(outputs)


def output_note(classifier: Classifier) -> str | None:
    """What to say of a network that ends with a softmax that is not declared, or with a sigmoid;
    else None.

    Rows from 0 to 1 with the sum 1, on noise, black and white, can hardly be anything but
    probabilities. Rows of another sum, between 0 and 1 and not all near 0, as those of an untrained
    network are, look like a sigmoid.
    """
    if classifier.outputs == PROBABILITIES:
        return None
    noise = [_noise(classifier, seed) for seed in range(2)]
    is_softmax, largest = True, 0.0
    for images in (*noise, torch.zeros_like(noise[0]), torch.ones_like(noise[0])):
        outputs = _outputs(classifier, images)
        is_softmax &= are_probabilities(outputs, weight_dtype(classifier.module))
        if not is_softmax and not bool(((outputs > 0) & (outputs < 1)).all()):
            return None
        largest = max(largest, float(outputs.max()))
    if is_softmax:
        return f"{PROBABILITIES_TEXT.format(name=classifier.name)}; {PROBABILITIES_ADVICE}"
    return _SIGMOID.format(name=classifier.name) if largest > _NEAR_ZERO else None


def _noise(classifier: Classifier, seed: int) -> Tensor:
    shape = (1, classifier.channels, *classifier.input_size)
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _outputs(classifier: Classifier, images: Tensor) -> Tensor:
    device = classifier.device
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
            return classifier.module_outputs(images.to(device))
    except Exception as error:  # the person's module may fail in any way
        if isinstance(error, ClassifierError) or is_out_of_memory(error):
            raise
        height, width = classifier.input_size
        raise ClassifierError(
            f"{classifier.name} failed on an image of {height} × {width} pixels: "
            f"{type_and_message(error)}{_advice(error, classifier)}"
        ) from error


def _advice(error: Exception, classifier: Classifier) -> str:
    """What the cause may be where torch's message tells it; else nothing."""
    if wanted := _CHANNELS.search(str(error)):
        numbers = {"1": "one number each, for grey images", "3": "three numbers each, for colour"}
        if wanted[1] in numbers and wanted[2] == str(classifier.channels):
            return f"; give mean and std {numbers[wanted[1]]}"
    if _SHAPES in str(error):
        return "; its input_size may be another one"
    return ""
