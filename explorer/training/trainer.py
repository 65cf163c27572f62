"""Training of the bundled classifiers: standard, and adversarial in the L2 ball.

Standard training follows the CIFAR-10 speed runs (Jordan 2024, arXiv 2404.00498): a whitening stem,
one triangular learning rate, fast biases, alternating flips. Adversarial training (Madry et al.
2018; Ilyas et al. 2019, appendix C) attacks each batch from a random start with one or two steps of
1.25 ε (Wong et al. 2020, "Fast is better than free") while the network is in evaluation mode.

Several ranks divide each batch among them and add up their gradients. All draw the same random
numbers, so the images, the augmentation, the starts and the steps are those of one process. Two
things differ: a batch norm sees a rank's part of the batch alone, and sums are rounded otherwise.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from explorer.attacks import Threat
from explorer.classifiers.small_net import SmallNet, whiten_stem
from explorer.datasets.labelled import LabelledImages
from explorer.ranks import ALONE, Ranks
from explorer.training.augmentation import augment
from explorer.training.checkpoint import TrainingError, read_checkpoint, write_checkpoint
from explorer.training.hyperparameters import Hyperparameters
from explorer.training.optimizer import make_optimizer, set_learning_rate


@dataclass(frozen=True)
class TrainingProgress:
    """The state of an epoch: ``fraction`` done, mean ``loss`` and ``accuracy`` up to here.

    ``rate`` is in images per second.
    """

    fraction: float
    loss: float
    accuracy: float
    rate: float


class Trainer:
    """One training, run epoch by epoch; after :meth:`restore` it continues where :meth:`save` was.

    Randomness comes from a generator seeded by (seed, epoch), so that a resumed training gives the
    same weights as an uninterrupted one.
    """

    def __init__(
        self,
        settings: Hyperparameters,
        data: LabelledImages,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        device: str = "cpu",
        initial: dict[str, Tensor] | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.ranks = ranks
        self.settings, self.data, self.device = settings, data, torch.device(device)
        self.mean = torch.tensor(mean, device=self.device).view(1, 3, 1, 1)
        self.std = torch.tensor(std, device=self.device).view(1, 3, 1, 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            net = SmallNet(settings.network)
        net = net.to(self.device).to(memory_format=torch.channels_last)
        if initial is None:
            whiten_stem(net, self._normalise(data.images[:5000].to(self.device).float() / 255))
        else:
            net.load_state_dict(initial)
        net.stem.weight.requires_grad_(not settings.frozen_stem)
        self.net = net
        self.averaged = AveragedModel(
            net, multi_avg_fn=get_ema_multi_avg_fn(settings.average), use_buffers=True
        )
        self.optimizer = make_optimizer(net, settings)
        self.epoch = 0
        self.seconds = 0.0

    def _normalise(self, images: Tensor) -> Tensor:
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def _batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """This rank's augmented pixels and labels of each batch.

        Odd epochs have the mirror images of even epochs.
        """
        settings, n = self.settings, len(self.data)
        first_flip = torch.rand(n, generator=torch.Generator().manual_seed(settings.seed)) < 0.5
        order = torch.randperm(n, generator=generator)
        small = settings.small_size if self.epoch < settings.small_until * settings.epochs else None
        for start in range(0, n - settings.batch + 1, settings.batch):
            rows = self._part(order[start : start + settings.batch])
            images = self.data.images[rows].float() / 255
            mirror = (first_flip[rows] ^ bool(self.epoch % 2)) & settings.flip
            shifts = torch.randint(
                0, 2 * settings.crop + 1, (settings.batch, 2), generator=generator
            )
            images = augment(images, settings.crop, mirror, self._part(shifts))
            if small is not None:
                images = F.interpolate(images, size=(small, small), mode="bilinear", antialias=True)
            yield images.to(self.device), self.data.labels[rows].to(self.device)

    def _part(self, batch: Tensor) -> Tensor:
        """This rank's rows of what belongs to a whole batch."""
        return batch[self.ranks.rank :: self.ranks.world]

    def _loss(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            logits = self.net(self._normalise(images)).float()
        return F.cross_entropy(logits, labels), logits

    def _perturb(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Images attacked in the L2 ball, from a random start."""
        settings = self.settings
        # A shrunk image has fewer pixels: the same change per pixel is a smaller L2 distance.
        scale = images.shape[-1] / self.data.images.shape[-1]
        threat = Threat("l2", settings.epsilon * scale)
        steps = 2 if self.epoch >= settings.strong_from * settings.epochs else 1
        self.net.eval()
        for parameter in self.net.parameters():
            parameter.requires_grad_(False)
        whole = images[:1].expand(settings.batch, *images.shape[1:])
        delta = self._part(threat.random_start(whole, generator))
        for _ in range(steps):
            delta = ((images + delta).clamp(0, 1) - images).requires_grad_()
            loss, _ = self._loss(images + delta, labels)
            (gradient,) = torch.autograd.grad(loss, delta)
            delta = threat.project(
                delta.detach()
                + 1.25 * settings.epsilon * scale * threat.normalized_gradient(gradient)
            )
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.requires_grad_(True)
        self.net.train()
        return (images + delta).clamp(0, 1)

    def run_epoch(
        self, report: Callable[[TrainingProgress], None] = lambda progress: None
    ) -> TrainingProgress:
        """The state at the end of one more epoch; ``report`` gets the state after every batch.

        Raises :class:`TrainingError` where the data do not fill a batch, the ranks are too many or
        the loss overflows.
        """
        settings = self.settings
        generator = torch.Generator().manual_seed(settings.seed * 100_003 + self.epoch)
        if self.ranks.world > settings.batch:
            raise TrainingError(
                f"{self.ranks.world} ranks can't share a batch of {settings.batch}; start fewer"
            )
        steps = len(self.data) // settings.batch
        if not steps:
            raise TrainingError(
                f"{len(self.data)} images do not fill one batch of {settings.batch}; add images"
            )
        start, correct, count, loss_sum = time.perf_counter(), 0.0, 0, 0.0
        self.net.train()
        for step, (images, labels) in enumerate(self._batches(generator)):
            fraction = (self.epoch + step / steps) / settings.epochs
            set_learning_rate(self.optimizer, settings, fraction)
            if settings.epsilon > 0:
                images = self._perturb(images, labels, generator)
            loss, logits = self._loss(images, labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss = loss * (len(labels) / settings.batch)  # its part of the mean of the batch
            loss.backward()
            right = (logits.argmax(1) == labels).sum().float()
            loss = loss.detach()
            self._combine(loss, right)
            self.optimizer.step()
            self.averaged.update_parameters(self.net)
            correct += right.item()
            count, loss_sum = count + settings.batch, loss_sum + loss.item()
            if not math.isfinite(loss_sum):
                raise TrainingError(
                    f"the loss is no longer finite in epoch {self.epoch + 1}; lower the learning "
                    "rate or take another seed"
                )
            rate = count / (time.perf_counter() - start)
            progress = TrainingProgress(
                (step + 1) / steps, loss_sum / (step + 1), correct / count, rate
            )
            report(progress)
        self.epoch += 1
        self.seconds += time.perf_counter() - start
        return progress

    def _combine(self, loss: Tensor, right: Tensor) -> None:
        """Add up the ranks' gradients and counts; batch norms get the mean of their statistics."""
        if self.ranks.world == 1:
            return
        gradients = [each.grad for each in self.net.parameters() if each.grad is not None]
        statistics = [each for each in self.net.buffers() if each.is_floating_point()]
        for each in statistics:
            each.div_(self.ranks.world)
        self.ranks.add([*gradients, *statistics, loss, right])

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights on the CPU. As float16 they take half the space.

        Measured on the bundled files: the accuracy is the same as with float32.
        """
        return {
            name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
            for name, value in self.averaged.module.state_dict().items()
        }

    def save(self, path: Path) -> None:
        """Write everything that :meth:`restore` needs; the file at ``path`` is always complete.

        Raises :class:`~explorer.files.FileError` where it can't be written.
        """
        state = {
            "recipe": asdict(self.settings),
            "data": self.data.digest,
            "net": self.net.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "seconds": self.seconds,
        }
        write_checkpoint(path, state)

    def restore(self, path: Path) -> None:
        """Continue from a file that :meth:`save` wrote.

        Raises :class:`TrainingError` where it can't be read, or belongs to another recipe or other
        data.
        """
        state = read_checkpoint(path, self.device)
        # Files of earlier versions lack some settings and have others that no recipe ever changed.
        recipe = state["recipe"]
        if any(recipe.get(name, value) != value for name, value in asdict(self.settings).items()):
            raise TrainingError(
                f"{path} belongs to another recipe; train into another folder with --out"
            )
        # Files of earlier versions don't say what they were trained on.
        if state.get("data", self.data.digest) != self.data.digest:
            raise TrainingError(
                f"{path} belongs to another training set; choose another folder with --out"
            )
        epoch = state.get("epoch")
        if type(epoch) is not int or not 0 <= epoch <= self.settings.epochs:
            raise TrainingError(
                f"{path} is damaged: its epoch is {epoch!r} of {self.settings.epochs}; remove it "
                "to begin again"
            )
        try:
            self.net.load_state_dict(state["net"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.seconds = epoch, float(state["seconds"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError):
            raise TrainingError(
                f"{path} does not fit this network; remove it to begin again"
            ) from None
