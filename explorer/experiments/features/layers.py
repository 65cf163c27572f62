"""How far an attack moves a classifier's activations, layer by layer, beside noise of equal size.

An attack and random noise of the same L2 norm change the pixels equally. Where the network carries
the two apart is where it reacts to the direction of the change and not to its size; Liao et al.
2018 (arXiv 1712.02976, figure 2) measure the same relative distance.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.errors import Cancelled
from explorer.experiments.compare import recipes_for
from explorer.experiments.features.asked import IsCancelled, OnStep, precision_option
from explorer.experiments.noise_control import with_noise
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import preprocess

DRAWS = 10
# Modules of a level of the network are taken one by one as long as there are no more than this.
MAX_LAYERS = 40
# The paths part where the attack is this many times as far as the farthest draw of noise.
PARTING = 2.0
PIXELS, LOGITS = "pixels", "logits"
STEPS = 20
_KINDS = {
    nn.Conv2d: "convolution",
    nn.Linear: "linear",
    nn.BatchNorm2d: "batch norm",
    nn.MaxPool2d: "max pool",
    nn.AvgPool2d: "average pool",
    nn.AdaptiveAvgPool2d: "average pool",
}


@dataclass(frozen=True)
class LayerDistance:
    """‖a(x′) − a(x)‖₂ / ‖a(x)‖₂ at one layer's output a, for the clean picture x.

    ``adversarial`` is that of the adversarial picture x′, ``noise`` has one value for each draw.
    """

    name: str
    adversarial: float
    noise: tuple[float, ...]

    @property
    def mean_noise(self) -> float:
        """The mean over the draws."""
        return sum(self.noise) / len(self.noise)


@dataclass(frozen=True)
class ClassifierLayers:
    """One classifier's ``layers`` in the order in which they are computed, pixels first.

    ``report`` is the attack. ``name`` is the classifier's in recipes, ``title`` what the pages call
    it.
    """

    name: str
    title: str
    robust: bool
    report: AttackReport
    layers: tuple[LayerDistance, ...]

    @property
    def parting(self) -> LayerDistance | None:
        """The layer where the two paths part, or None.

        From it on, the adversarial picture is at every layer at least :data:`PARTING` times as far
        from the clean one as the farthest draw of noise.
        """
        first: LayerDistance | None = None
        for layer in reversed(self.layers):
            if layer.adversarial < PARTING * max(layer.noise):
                break
            first = layer
        return first


def layers_recipe(
    image: str, model: str, epsilon: float, *, seed: int = 0, precision: str = "auto"
) -> Recipe:
    """The recipe of the attack that is followed through the layers: L2, untargeted."""
    return Recipe(image, model, "l2", epsilon, STEPS, seed=seed, precision=precision)


def layers_command(answers: Sequence[ClassifierLayers], image: str, out: str = "out") -> str:
    """The command that follows the same attacks on the picture ``image`` and writes to ``out``."""
    recipes = [each.report.recipe for each in answers]
    words = ["python", "-m", "explorer", "layers", image]
    words += ["--model", *(each.name for each in answers)]
    words += ["--epsilon", f"{recipes[0].epsilon:g}", "--seed", str(recipes[0].seed)]
    return shlex.join([*words, *precision_option(recipes), "--out", out])


def compare_layers(
    classifiers: Mapping[str, Classifier],
    picture: Image.Image,
    recipe: Recipe,
    *,
    draws: int = DRAWS,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[ClassifierLayers, ...]:
    """Attack ``picture`` on each of the classifiers as ``recipe`` says, and follow it inside.

    Label and target of the recipe are classes of the first classifier. The noise has the L2 norm of
    each attack's own perturbation. ``on_step(done, total)`` counts the steps of all attacks. Raises
    :class:`~explorer.errors.UserError` for what can't be attacked, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    recipes = recipes_for(classifiers, recipe)
    total = len(recipes) * recipe.steps
    answers: list[ClassifierLayers] = []
    for name, own in recipes.items():
        model, done = classifiers[name], len(answers) * recipe.steps

        def count(step: int, steps: int, loss: float, done: int = done) -> None:
            if on_step is not None:
                on_step(done + step, total)

        pixels = preprocess(picture, model, recipe.crop)
        report = attack_image(model, pixels, own, on_step=count, cancelled=cancelled)
        if cancelled is not None and cancelled():
            raise Cancelled
        layers = layer_distances(model, report, draws)
        answers.append(ClassifierLayers(name, model.title, model.robust, report, layers))
    return tuple(answers)


def layer_distances(
    classifier: Classifier, report: AttackReport, draws: int = DRAWS
) -> tuple[LayerDistance, ...]:
    """The distances at each layer of ``classifier`` for the attack in ``report``.

    A layer whose clean activations are all zero is left out.
    """
    noisy = [
        with_noise(report.original, "l2", report.l2, report.recipe.seed, draw)
        for draw in range(draws)
    ]
    images = torch.stack([report.original, report.adversarial, *noisy])
    distances = {PIXELS: relative_distances(images)}
    with evaluation_mode(classifier), torch.no_grad(), _recording(classifier, distances):
        logits = classifier(images.to(classifier.device))
    distances[LOGITS] = relative_distances(logits)
    return tuple(
        LayerDistance(name, values[0], tuple(values[1:]))
        for name, values in distances.items()
        if values
    )


@torch.no_grad()
def relative_distances(activations: Tensor) -> list[float]:
    """For each but the first of ``activations`` [N, …] its L2 distance from the first, relative to
    that one's norm. The list is empty if the norm is zero.
    """
    clean, *others = activations.detach().flatten(1).cpu()
    clean = clean.double()
    norm = float(clean.norm())
    # One at a time: the activations of all in float64 could be twice as large as the network.
    return [] if norm == 0 else [float((each.double() - clean).norm()) / norm for each in others]


def layers_of(module: nn.Module) -> dict[str, nn.Module]:
    """The parts of ``module`` by path: as fine as gives at most :data:`MAX_LAYERS` of them.

    Lists of modules, which are no layers themselves, always give their parts.
    """
    level = _expanded({"": module}, force=True)
    while True:
        finer = _expanded(level)
        if len(finer) > MAX_LAYERS or finer.keys() == level.keys():
            return level
        level = finer


def _expanded(level: Mapping[str, nn.Module], *, force: bool = False) -> dict[str, nn.Module]:
    """Each part replaced by its own parts, if it has any."""
    parts: dict[str, nn.Module] = {}
    for path, module in level.items():
        children = list(module.named_children())
        if not children:
            parts[path] = module
        for name, child in children:
            own = f"{path}.{name}".lstrip(".")
            listed = isinstance(child, nn.ModuleList | nn.ModuleDict)
            parts.update(_expanded({own: child}) if listed else {own: child})
    return parts


@contextmanager
def _recording(classifier: Classifier, distances: dict[str, list[float]]) -> Iterator[None]:
    """Add the distances at each layer to ``distances`` while this thread runs the classifier."""
    own_thread = threading.get_ident()

    def hook_of(name: str) -> Any:
        def hook(_: nn.Module, args: object, output: object) -> None:
            # Other threads that run the classifier meanwhile call the hook too.
            if threading.get_ident() == own_thread and isinstance(output, Tensor):
                distances[_unused(name, distances)] = relative_distances(output)

        return hook

    with ExitStack() as stack:
        for path, layer in layers_of(classifier.module).items():
            stack.enter_context(layer.register_forward_hook(hook_of(_name(path, layer))))
        yield


def _name(path: str, layer: nn.Module) -> str:
    """``groups.1.0 convolution``."""
    return f"{path.lstrip('_')} {_KINDS.get(type(layer), type(layer).__name__)}"


def _unused(name: str, names: Mapping[str, object]) -> str:
    """``name``, or with a number where the layer is used several times in one pass."""
    if name not in names:
        return name
    number = 2
    while f"{name} ({number})" in names:
        number += 1
    return f"{name} ({number})"
