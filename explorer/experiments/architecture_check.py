"""Whether an architecture can be loaded, classifies and can be attacked, with random weights."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier
from explorer.classifiers.architectures import build_untrained, published_classes
from explorer.classifiers.cache import MEMORY_FACTOR
from explorer.classifiers.checkpoint import Checkpoint
from explorer.classifiers.cifar_networks import CIFAR_PREFIX
from explorer.classifiers.imagenet import TORCHVISION_PREFIX
from explorer.classifiers.torchvision_models import published_classifier, weights_record
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_network import cifar_classifier, network_bytes
from explorer.errors import is_out_of_memory, type_and_message
from explorer.system import free_memory

_EPSILON = 8 / 255
_CPU = torch.device("cpu")
# Tensors by which the parts are known that some files leave out.
_ALL_PARTS = Checkpoint(
    {name: torch.empty(0) for name in ("aux1.a", "AuxLogits.a", "fc.bias", "bn.weight")}
)


@dataclass(frozen=True)
class ArchitectureCheck:
    """``problem`` is empty when all went well. ``skipped`` says that there was not enough memory.

    ``bytes`` are those of the weights, ``seconds`` those that the check took.
    """

    architecture: str
    bytes: int
    seconds: float
    problem: str
    skipped: bool = False


def check_architecture(architecture: str, precision: str = "auto") -> ArchitectureCheck:
    """Build the network, load its state dict, classify noise and attack it with one step.

    ``precision`` is that of the attack's gradients. Raises
    :class:`~explorer.classifiers.ClassifierError` when there is no such architecture.
    """
    start = time.perf_counter()
    size = network_bytes(UserModelCard("check", architecture), Checkpoint({}))
    need, free = MEMORY_FACTOR * size, free_memory(_CPU)
    if need > free:
        problem = f"it needs {need / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free"
        return ArchitectureCheck(architecture, size, 0.0, problem, skipped=True)
    try:
        problem = _problem(_random_classifier(architecture), precision)
    except Exception as error:  # whatever it is, the next architecture is tried
        if is_out_of_memory(error):
            raise
        problem = type_and_message(error)
    return ArchitectureCheck(architecture, size, time.perf_counter() - start, problem)


def _random_classifier(architecture: str) -> Classifier:
    """The classifier that a file with all of the network's tensors gives."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        classes = published_classes(architecture)
        state = build_untrained(architecture, _parts(architecture), classes).state_dict()
    if architecture.startswith(CIFAR_PREFIX):
        return cifar_classifier(architecture, Checkpoint(state), _CPU)
    name = TORCHVISION_PREFIX + architecture
    return published_classifier(name, Path(), _CPU, read=lambda _: Checkpoint(state))


def _parts(architecture: str) -> Checkpoint:
    """What tells :func:`build_untrained` of the parts and the size of the published network."""
    match = re.fullmatch(r"vit_[a-z]+_(\d+)", architecture)
    if match is None:
        return _ALL_PARTS
    side = weights_record(architecture).transforms().crop_size[0] // int(match[1])
    return Checkpoint({"encoder.pos_embedding": torch.empty(1, side * side + 1, 1)})


def _problem(classifier: Classifier, precision: str) -> str:
    height, width = classifier.input_size
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = classifier(noise)
    if logits.shape != (1, len(classifier.labels)) or not bool(torch.isfinite(logits).all()):
        return "its logits are not one finite number for each label"
    attack = PGD(Threat("linf", _EPSILON), steps=1, precision=precision)
    result = attack(classifier, noise, logits.argmax(1))
    moved = float((result.adversarial - noise).abs().max())
    if not 0 < moved <= _EPSILON * (1 + 1e-6):
        return f"the attack moved a pixel by {moved:.4f}; it must be in (0, {_EPSILON:.4f}]"
    return ""
