"""Other libraries' PGD as functions of images and labels, imported only when asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier

Attack = Callable[[Tensor, Tensor], Tensor]
"""Images float32 [N, 3, H, W] and labels int64 [N] → adversarial images [N, 3, H, W]."""

MODULES = ("plain", "frozen")


@dataclass(frozen=True)
class Setting:
    """What every library is asked for: the L∞ ball of ``epsilon``, in pixels of [0, 1], a random start, ``steps`` steps. Those that
    want a constant step size get Madry's 2.5 ε / steps."""

    epsilon: float = 4 / 255
    steps: int = 10

    @property
    def step_size(self) -> float:
        return 2.5 * self.epsilon / self.steps


@dataclass(frozen=True)
class Baseline:
    """A library: the ``packages`` that bring it, the first that is installed serves; ``make(package, model, classifier, setting)``."""

    name: str
    packages: tuple[str, ...]
    make: Callable[[str, nn.Module, Classifier, Setting], Attack]

    @property
    def package(self) -> str | None:
        """The installed package, None when there is none."""
        return next((package for package in self.packages if find_spec(package) is not None), None)

    def attack(self, classifier: Classifier, setting: Setting, module: str = "plain") -> Attack:
        """Its PGD on ``classifier``. Raises whatever the library raises; :class:`ModuleNotFoundError` when it is not installed."""
        package = self.package
        if package is None:
            raise ModuleNotFoundError(f"{self.packages[0]} is not installed")
        return self.make(package, _Pixels(classifier, module), classifier, setting)


class _Pixels(nn.Module):
    """A copy of a classifier as a module that takes pixels, which is what the libraries want.

    "plain" is as torchvision hands a network out: contiguous, its parameters asking for gradients. "frozen" is as :func:`load` does.
    """

    def __init__(self, classifier: Classifier, module: str) -> None:
        super().__init__()
        self.inner = copy.deepcopy(classifier.module).eval()
        if module == "plain":
            self.inner.requires_grad_(True).to(memory_format=torch.contiguous_format)
        self.classifier = classifier.with_module(self.inner)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(images)


def _torchattacks(
    package: str, model: nn.Module, classifier: Classifier, setting: Setting
) -> Attack:
    made = import_module(package).PGD(
        model, eps=setting.epsilon, alpha=setting.step_size, steps=setting.steps, random_start=True
    )
    return lambda images, labels: made(images, labels)


def _foolbox(package: str, model: nn.Module, classifier: Classifier, setting: Setting) -> Attack:
    foolbox = import_module(package)
    wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device=classifier.device)
    made = foolbox.attacks.LinfPGD(
        steps=setting.steps, abs_stepsize=setting.step_size, random_start=True
    )
    return lambda images, labels: made(wrapped, images, labels, epsilons=setting.epsilon)[1]


def _art(package: str, model: nn.Module, classifier: Classifier, setting: Setting) -> Attack:
    evasion, estimators = (
        import_module(f"{package}.attacks.evasion"),
        import_module(f"{package}.estimators.classification"),
    )
    estimator = estimators.PyTorchClassifier(
        model,
        loss=nn.CrossEntropyLoss(),
        input_shape=(3, *classifier.input_size),
        nb_classes=len(classifier.labels),
        clip_values=(0.0, 1.0),
        device_type="gpu" if classifier.device.type == "cuda" else "cpu",
    )

    def run(images: Tensor, labels: Tensor) -> Tensor:
        made = evasion.ProjectedGradientDescent(
            estimator,
            norm="inf",
            eps=setting.epsilon,
            eps_step=setting.step_size,
            max_iter=setting.steps,
            num_random_init=1,
            batch_size=len(images),
            verbose=False,
        )
        found: Any = made.generate(x=images.cpu().numpy(), y=labels.cpu().numpy())
        return torch.from_numpy(found).to(images)

    return run


def _autoattack(package: str, model: nn.Module, classifier: Classifier, setting: Setting) -> Attack:
    made = import_module(f"{package}.autopgd_base").APGDAttack(
        model,
        n_iter=setting.steps,
        norm="Linf",
        eps=setting.epsilon,
        loss="ce",
        seed=0,
        device=classifier.device,
    )
    # best_loss: else it returns the image itself where it did not fool.
    return lambda images, labels: made.perturb(images, labels, best_loss=True)


def _adversarial_library(
    package: str, model: nn.Module, classifier: Classifier, setting: Setting
) -> Attack:
    pgd = import_module(
        f"{package}.attacks"
    ).pgd_linf  # returns the image itself where it did not fool
    return lambda images, labels: pgd(
        model,
        images,
        labels,
        setting.epsilon,
        steps=setting.steps,
        absolute_step_size=setting.step_size,
        random_init=True,
    )


BASELINES = (
    Baseline("torchattacks", ("torchattacks",), _torchattacks),
    Baseline("foolbox", ("foolbox",), _foolbox),
    Baseline("art", ("art",), _art),
    Baseline("autoattack", ("autoattack", "pyautoattack"), _autoattack),
    Baseline("adversarial-library", ("adv_lib",), _adversarial_library),
)
