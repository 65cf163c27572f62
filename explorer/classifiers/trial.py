"""A trial run: a model that a person brings fails here, and not in the middle of a command."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.classifiers.classifier import Classifier
from explorer.classifiers.error import ClassifierError
from explorer.errors import is_out_of_memory, type_and_message


def trial_run(classifier: Classifier) -> Tensor:
    """Logits float32 [1, C] of one image of noise.

    Raises :class:`ClassifierError` when the forward pass fails, except for want of memory. The
    state of torch's random numbers stays as it is.
    """
    height, width = classifier.input_size
    device = classifier.device
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
            logits: Tensor = classifier(noise.to(device))
            return logits
    except Exception as error:  # the person's module may fail in any way
        if isinstance(error, ClassifierError) or is_out_of_memory(error):
            raise
        raise ClassifierError(
            f"{classifier.name} failed on an image of {height} × {width} pixels: "
            f"{type_and_message(error)}"
        ) from error
