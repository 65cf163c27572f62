"""Other libraries' PGD as functions of images and labels, each imported when it is first used."""

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
"""Images float32 [N, 3, H, W] and labels int64 [N] → adversarial images [N, 3, H, W].

A targeted attack takes the classes to reach in place of the labels.
"""

MODULE_FORMS = ("plain", "frozen")


@dataclass(frozen=True)
class Setting:
    """The attack that every library runs: PGD from a random start in a ball of ``norm``.

    ``epsilon`` is its radius in pixels of [0, 1], ``norm`` "linf" or "l2". Libraries that want a
    constant step size get Madry's 2.5 ε / steps.
    """

    epsilon: float = 4 / 255
    steps: int = 10
    norm: str = "linf"
    targeted: bool = False

    @property
    def step_size(self) -> float:
        return 2.5 * self.epsilon / self.steps


@dataclass(frozen=True)
class Baseline:
    """A library that ``packages`` bring; the first of them that is installed is used.

    ``make(package, classifier, setting)`` gives its attack.
    """

    name: str
    packages: tuple[str, ...]
    make: Callable[[str, Classifier, Setting], Attack]

    @property
    def package(self) -> str | None:
        """The installed package, or None."""
        return next((package for package in self.packages if find_spec(package) is not None), None)

    def attack(self, classifier: Classifier, setting: Setting, form: str = "plain") -> Attack:
        """The library's PGD on :func:`module_copy` of ``classifier``.

        Raises :class:`ModuleNotFoundError` where the library is not installed, and whatever the
        library raises.
        """
        package = self.package
        if package is None:
            raise ModuleNotFoundError(f"{self.packages[0]} is not installed")
        return self.make(package, module_copy(classifier, form), setting)


def module_copy(classifier: Classifier, form: str) -> Classifier:
    """A copy for a library: "frozen" as :func:`~explorer.classifiers.load` gives it, or "plain".

    "plain" is how torchvision hands out a network: contiguous, with gradients for its parameters.
    """
    duplicate = copy.deepcopy(classifier).eval()
    if form == "plain":
        duplicate.requires_grad_(True).to(memory_format=torch.contiguous_format)
    return duplicate


def _torchattacks(package: str, classifier: Classifier, setting: Setting) -> Attack:
    library = import_module(package)
    kind = library.PGD if setting.norm == "linf" else library.PGDL2
    pgd: Any = kind(
        classifier,
        eps=setting.epsilon,
        alpha=setting.step_size,
        steps=setting.steps,
        random_start=True,
    )
    if setting.targeted:
        pgd.set_mode_targeted_by_label(quiet=True)
    return lambda images, labels: pgd(images, labels)


def _foolbox(package: str, classifier: Classifier, setting: Setting) -> Attack:
    foolbox = import_module(package)
    model = foolbox.PyTorchModel(classifier, bounds=(0, 1), device=classifier.device)
    kind = foolbox.attacks.LinfPGD if setting.norm == "linf" else foolbox.attacks.L2PGD
    pgd = kind(steps=setting.steps, abs_stepsize=setting.step_size, random_start=True)
    criteria = foolbox.criteria
    aim = criteria.TargetedMisclassification if setting.targeted else criteria.Misclassification
    return lambda images, classes: pgd(model, images, aim(classes), epsilons=setting.epsilon)[1]


def _art(package: str, classifier: Classifier, setting: Setting) -> Attack:
    evasion = import_module(f"{package}.attacks.evasion")
    estimator = import_module(f"{package}.estimators.classification").PyTorchClassifier(
        classifier,
        loss=nn.CrossEntropyLoss(),
        input_shape=(3, *classifier.input_size),
        nb_classes=len(classifier.labels),
        clip_values=(0.0, 1.0),
        device_type="gpu" if classifier.device.type == "cuda" else "cpu",
    )

    def run(images: Tensor, labels: Tensor) -> Tensor:
        pgd = evasion.ProjectedGradientDescent(
            estimator,
            norm="inf" if setting.norm == "linf" else 2,
            eps=setting.epsilon,
            eps_step=setting.step_size,
            max_iter=setting.steps,
            targeted=setting.targeted,
            num_random_init=1,
            batch_size=len(images),
            verbose=False,
        )
        adversarial = pgd.generate(x=images.cpu().numpy(), y=labels.cpu().numpy())
        return torch.from_numpy(adversarial).to(images)

    return run


def _autoattack(package: str, classifier: Classifier, setting: Setting) -> Attack:
    apgd = import_module(f"{package}.autopgd_base").APGDAttack(
        classifier,
        n_iter=setting.steps,
        norm="Linf" if setting.norm == "linf" else "L2",
        eps=setting.epsilon,
        loss="ce-targeted-cfts" if setting.targeted else "ce",  # minus the target's cross-entropy
        seed=0,
        device=classifier.device,
    )

    def run(images: Tensor, classes: Tensor) -> Tensor:
        # Not perturb, which takes no targets.
        apgd.init_hyperparam(images)
        highest_loss: Tensor = apgd.attack_single_run(images, classes)[0]
        return highest_loss

    return run


def _adversarial_library(package: str, classifier: Classifier, setting: Setting) -> Attack:
    if setting.norm != "linf":
        raise ValueError("the library has no PGD in an L2 ball")
    # It returns the original image where the attack fails.
    pgd = import_module(f"{package}.attacks").pgd_linf
    return lambda images, labels: pgd(
        classifier,
        images,
        labels,
        setting.epsilon,
        steps=setting.steps,
        absolute_step_size=setting.step_size,
        random_init=True,
        targeted=setting.targeted,
    )


BASELINES = (
    Baseline("torchattacks", ("torchattacks",), _torchattacks),
    Baseline("foolbox", ("foolbox",), _foolbox),
    Baseline("art", ("art",), _art),
    Baseline("autoattack", ("autoattack", "pyautoattack"), _autoattack),
    Baseline("adversarial-library", ("adv_lib",), _adversarial_library),
)
