"""Training of the bundled classifiers: standard, and adversarial in the L2 ball (Madry et al. 2018; Ilyas et al. 2019, app. C).

The recipe follows the CIFAR-10 speed runs (Jordan 2024, arXiv 2404.00498): whitening stem, one triangular learning rate, fast
biases, alternating flips. Adversarial training attacks each batch from a random start with one or two steps of 1.25 ε
(Wong et al. 2020, "Fast is better than free"), the network in evaluation mode while it is attacked.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from explorer.attacks.threat import Threat
from explorer.classifiers.small_net import NetworkConfig, SmallNet, whiten_stem
from explorer.datasets.labelled import LabelledImages
from explorer.errors import UserError


@dataclass(frozen=True)
class Hyperparameters:
    """Everything that decides the weights, but the data. ``learning_rate`` is the peak, for the mean loss of a batch.

    ``epsilon`` 0 is standard training; otherwise the L2 radius, attacked with one step in the epochs before
    ``strong_from`` (a fraction of the training) and with two from there on. ``small_until`` is the fraction of epochs on
    images shrunk to ``small_size``, which cost less. ``crop`` 0 and no ``flip`` is training without augmentation.
    """

    network: NetworkConfig
    epochs: int
    batch: int = 500
    learning_rate: float = 0.75
    momentum: float = 0.85
    weight_decay: float = 1e-3
    bias_scale: float = 64.0
    warmup: float = 0.25
    label_smoothing: float = 0.0
    crop: int = 2
    flip: bool = True
    small_size: int | None = None
    small_until: float = 0.0
    frozen_stem: bool = True
    epsilon: float = 0.0
    strong_from: float = 0.67
    average: float = 0.99
    seed: int = 0


@dataclass(frozen=True)
class TrainingProgress:
    """Where an epoch stands: the fraction done, the mean loss and the accuracy on it so far, images a second."""

    done: float
    loss: float
    accuracy: float
    rate: float


def _augment(images: Tensor, crop: int, flip: Tensor, generator: torch.Generator) -> Tensor:
    """Reflection-padded random shifts of up to ``crop`` pixels, and mirror images where ``flip`` [N] says so."""
    size = images.shape[-1]
    padded = F.pad(images, (crop,) * 4, mode="reflect")
    shifts = torch.randint(0, 2 * crop + 1, (len(images), 2), generator=generator)
    out = torch.empty_like(images)
    for i, (dy, dx) in enumerate(shifts.tolist()):
        out[i] = padded[i, :, dy : dy + size, dx : dx + size]
    return torch.where(flip[:, None, None, None], out.flip(3), out)


def _optimizer(net: nn.Module, recipe: Hyperparameters) -> torch.optim.Optimizer:
    biases = [p for name, p in net.named_parameters() if p.requires_grad and name.endswith("bias")]
    others = [
        p for name, p in net.named_parameters() if p.requires_grad and not name.endswith("bias")
    ]
    scale, rate = recipe.bias_scale, recipe.learning_rate
    return torch.optim.SGD(
        [
            {"params": others, "lr": rate, "weight_decay": recipe.weight_decay},
            {"params": biases, "lr": rate * scale, "weight_decay": recipe.weight_decay / scale},
        ],
        momentum=recipe.momentum,
        nesterov=True,
    )


def _rate_factor(done: float, warmup: float) -> float:
    """Triangular schedule: 0.2 → 1 over the first ``warmup`` of training, then → 0.02."""
    if done < warmup:
        return 0.2 + 0.8 * done / warmup
    return 1 - 0.98 * (done - warmup) / (1 - warmup)


class Trainer:
    """One training, an epoch at a time; :meth:`save` and :meth:`restore` let it go on where it stopped.

    Randomness comes from a generator seeded by (seed, epoch), so a resumed training equals an uninterrupted one.
    """

    def __init__(
        self,
        recipe: Hyperparameters,
        data: LabelledImages,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        device: str = "cpu",
        initial: dict[str, Tensor] | None = None,
    ) -> None:
        self.recipe, self.data, self.device = recipe, data, torch.device(device)
        self.mean = torch.tensor(mean, device=self.device).view(1, 3, 1, 1)
        self.std = torch.tensor(std, device=self.device).view(1, 3, 1, 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            net = SmallNet(recipe.network)
        net = net.to(self.device).to(memory_format=torch.channels_last)
        if initial is None:
            whiten_stem(net, self._normalise(data.images[:5000].to(self.device).float() / 255))
        else:
            net.load_state_dict(initial)
        net.stem.weight.requires_grad_(not recipe.frozen_stem)
        self.net = net
        self.averaged = AveragedModel(
            net, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True
        )
        self.optimizer = _optimizer(net, recipe)
        self.epoch = 0
        self.seconds = 0.0

    def _normalise(self, images: Tensor) -> Tensor:
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def _batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Augmented pixels and labels. Flips alternate: odd epochs show the mirror image of what even ones showed."""
        recipe, n = self.recipe, len(self.data)
        first_flip = torch.rand(n, generator=torch.Generator().manual_seed(recipe.seed)) < 0.5
        order = torch.randperm(n, generator=generator)
        small = recipe.small_size if self.epoch < recipe.small_until * recipe.epochs else None
        for start in range(0, n - recipe.batch + 1, recipe.batch):
            rows = order[start : start + recipe.batch]
            images = self.data.images[rows].float() / 255
            flipped = (first_flip[rows] ^ bool(self.epoch % 2)) & recipe.flip
            images = _augment(images, recipe.crop, flipped, generator)
            if small is not None:
                images = F.interpolate(images, size=(small, small), mode="bilinear", antialias=True)
            yield images.to(self.device), self.data.labels[rows].to(self.device)

    def _loss(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            logits = self.net(self._normalise(images)).float()
        return F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing), logits

    def _perturb(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        recipe = self.recipe
        # A shrunk image has fewer pixels: the same change per pixel is a smaller L2 distance.
        scale = images.shape[-1] / self.data.images.shape[-1]
        threat = Threat("l2", recipe.epsilon * scale)
        steps = 2 if self.epoch >= recipe.strong_from * recipe.epochs else 1
        self.net.eval()
        for parameter in self.net.parameters():
            parameter.requires_grad_(False)
        delta = threat.random_start(images, generator)
        for _ in range(steps):
            delta = ((images + delta).clamp(0, 1) - images).requires_grad_()
            loss, _ = self._loss(images + delta, labels)
            (gradient,) = torch.autograd.grad(loss, delta)
            delta = threat.project(
                delta.detach() + 1.25 * recipe.epsilon * scale * threat.steepest(gradient)
            )
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.requires_grad_(True)
        self.net.train()
        return (images + delta).clamp(0, 1)

    def run_epoch(
        self, report: Callable[[TrainingProgress], None] = lambda progress: None
    ) -> TrainingProgress:
        """Train one epoch; ``report`` is called after every batch. Returns where it ended."""
        recipe = self.recipe
        generator = torch.Generator().manual_seed(recipe.seed * 100_003 + self.epoch)
        steps = len(self.data) // recipe.batch
        if not steps:
            raise UserError(f"{len(self.data)} images do not fill one batch of {recipe.batch}")
        started, correct, total, losses = time.perf_counter(), 0.0, 0, 0.0
        peaks = (recipe.learning_rate, recipe.learning_rate * recipe.bias_scale)
        self.net.train()
        for step, (images, labels) in enumerate(self._batches(generator)):
            factor = _rate_factor((self.epoch + step / steps) / recipe.epochs, recipe.warmup)
            for group, peak in zip(self.optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            if recipe.epsilon > 0:
                images = self._perturb(images, labels, generator)
            loss, logits = self._loss(images, labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            self.averaged.update_parameters(self.net)
            correct += (logits.argmax(1) == labels).sum().item()
            total, losses = total + len(labels), losses + loss.item()
            if not math.isfinite(losses):
                raise FloatingPointError(
                    f"the loss is no longer finite in epoch {self.epoch + 1}; lower the learning rate"
                )
            rate = total / (time.perf_counter() - started)
            progress = TrainingProgress(
                (step + 1) / steps, losses / (step + 1), correct / total, rate
            )
            report(progress)
        self.epoch += 1
        self.seconds += time.perf_counter() - started
        return progress

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights, as float16 on the CPU: half the size, the same accuracy (measured on the file that ships)."""
        state = self.averaged.module.state_dict()
        return {
            k: (v.half() if v.is_floating_point() else v).cpu().contiguous()
            for k, v in state.items()
        }

    def save(self, path: Path) -> None:
        """Everything needed to go on after this epoch, moved into place when it is whole."""
        state = {
            "recipe": asdict(self.recipe),
            "net": self.net.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "seconds": self.seconds,
        }
        temporary = path.with_suffix(".part")
        torch.save(state, temporary)
        os.replace(temporary, path)

    def restore(self, path: Path) -> None:
        """Go on from a file of :meth:`save`; ``ValueError`` when it can't be read or belongs to another recipe."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError) as error:
            raise UserError(f"{path} can't be read ({error}); remove it to begin again") from None
        mine = asdict(self.recipe)
        if {**mine, **state["recipe"]} != mine:  # a file from before a setting existed lacks it
            raise UserError(
                f"{path} belongs to another recipe; train into another folder with --out"
            )
        self.net.load_state_dict(state["net"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.seconds = state["epoch"], state["seconds"]
