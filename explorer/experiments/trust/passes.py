"""Checks that ask the classifier again: the same image, noise, one step, 8 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.attacks import PGD, AttackResult, Threat
from explorer.attacks.loop import select_rows
from explorer.attacks.threat import flat_norm, per_sample
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import logits_of
from explorer.errors import Cancelled
from explorer.experiments.trust.evidence import Evidence, near_chance_below
from explorer.experiments.trust.traces import attack_margin
from explorer.images.geometry import round_8bit

# Relative to the largest logit. GPUs may add in another order each time, in the last bits.
SAME_OUTPUT = 1e-4
NOISE_TRIALS = 8  # for a single image; each of several images has one
# Noise is as good as an attack if it raises the margin half as much. On the bundled classifiers,
# at up to 8/255 and L2 0.5, it never raised it more than 0.27 times as much.
NOISE_SHARE = 0.5
FEW_STEPS = 5


@dataclass(frozen=True)
class ExtraPasses:
    """The images float32 [N, C, H, W] that ``attack`` attacked, with labels and targets int64 [N].

    ``cancelled()`` is asked before each pass, which raises :class:`~explorer.errors.Cancelled`
    where it returns true. The classifier is in evaluation mode meanwhile, as under attack.
    """

    classifier: Classifier
    images: Tensor
    labels: Tensor
    targets: Tensor | None
    attack: PGD
    result: AttackResult
    cancelled: Callable[[], bool] | None = None

    def evidence(self) -> Evidence:
        """The counts of all checks, from about five passes."""
        success = self.result.success.cpu()
        clean, again = self._logits(self.images), self._logits(self.images)
        trials = NOISE_TRIALS if len(self.images) == 1 else 1
        noise = self._noise_margin(trials)
        start, attacked = self._margin(clean[None])[0], self._attack_margin()
        noise_rise = noise.amax(dim=0) - start
        as_good = (noise_rise > 0) & (noise_rise >= NOISE_SHARE * (attacked - start))
        return Evidence(
            checked=len(self.images),
            checked_succeeded=int(success.sum()),
            near_chance=self._near_chance(clean),
            changed=int(_differ(clean, again).sum()),
            noise_trials=noise.numel(),
            noise_succeeded=int((noise > 0).sum()),
            noise_as_good=int(as_good.sum()),
            noise_only=int(((noise > 0).any(dim=0) & ~success).sum()),
            one_step_only=int(self._one_step_success(~success).sum()),
            lost_by_rounding=int((~self._success_in_8_bits(success)).sum()),
        )

    def _near_chance(self, clean: Tensor) -> int:
        """At how many images the classifier hardly knew the class, by logits [N, C] of them."""
        confidence = clean.softmax(dim=1).gather(1, self.labels.cpu()[:, None])
        return int((confidence < near_chance_below(clean.shape[1])).sum())

    def _noise_margin(self, trials: int) -> Tensor:
        """How far random noise of the attack's norm comes, float32 [trials, N]."""
        noisy = noisy_images(self.images, self.attack.threat, trials, self.attack.seed)
        logits = self._logits(noisy)
        return self._margin(logits.view(trials, len(self.images), -1))

    def _attack_margin(self) -> Tensor:
        """How far the attack comes, float32 [N].

        One that stops at its first success could go further: a few steps show that.
        """
        reached = self._margin(self.result.logits.cpu()[None])[0]
        if not self.attack.stop_on_success:
            return reached
        self._next()
        steps = min(self.attack.steps, FEW_STEPS)
        short = replace(self.attack, steps=steps, restarts=1, stop_on_success=False)
        result = short(self.classifier, self.images, self.labels, self.targets)
        return torch.maximum(reached, self._margin(result.logits.cpu()[None])[0])

    def _margin(self, logits: Tensor) -> Tensor:
        """How far beyond success, float32 [T, N] of ``logits`` [T, N, C]."""
        return attack_margin(logits, self.labels, self.targets)

    def _one_step_success(self, rows: Tensor) -> Tensor:
        """bool [K]: whether one full step (FGSM) succeeds, for the rows bool [N]."""
        chosen = rows.nonzero().flatten()
        if not len(chosen) or self.attack.steps == 1:
            return chosen.bool()[:0]
        self._next()
        epsilon = select_rows(self.attack.threat.epsilon, chosen)
        one_step = replace(
            self.attack,
            threat=replace(self.attack.threat, epsilon=epsilon),
            steps=1,
            step_size=epsilon,
            restarts=1,
            random_start=False,
        )
        targets = None if self.targets is None else self.targets[chosen]
        result = one_step(self.classifier, self.images[chosen], self.labels[chosen], targets)
        return result.success.cpu()

    def _success_in_8_bits(self, rows: Tensor) -> Tensor:
        """bool [K]: whether the adversarial images at the rows bool [N] succeed when rounded."""
        chosen = rows.nonzero().flatten()
        if not len(chosen):
            return chosen.bool()
        logits = self._logits(round_8bit(self.result.adversarial[chosen]))
        targets = None if self.targets is None else self.targets[chosen]
        return attack_margin(logits[None], self.labels[chosen], targets)[0] > 0

    def _logits(self, images: Tensor) -> Tensor:
        self._next()
        with evaluation_mode(self.classifier):
            return logits_of(self.classifier, images.to(self.classifier.device)).cpu()

    def _next(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled


def _differ(first: Tensor, second: Tensor) -> Tensor:
    """bool [N]: whether logits [N, C] of the same images are not the same."""
    difference = (first - second).abs().amax(dim=1)
    # Not the other way round: a NaN passes no comparison.
    return ~(difference <= SAME_OUTPUT * first.abs().amax(dim=1).clamp(min=1e-12))


def noisy_images(images: Tensor, threat: Threat, trials: int, seed: int) -> Tensor:
    """``images`` [N, C, H, W] with noise on the sphere of ``threat``: [trials · N, C, H, W].

    L∞ noise is ε times a random sign, L2 noise is Gaussian of the length ε; both are clipped to
    [0, 1]. They depend on the seed alone.
    """
    generator = torch.Generator().manual_seed(seed % 2**63)
    repeated = images.detach().cpu().repeat(trials, 1, 1, 1)
    epsilon = threat.epsilon
    if isinstance(epsilon, Tensor) and epsilon.numel() > 1:
        epsilon = epsilon.cpu().flatten().repeat(trials)
    noise = torch.randn(repeated.shape, generator=generator)
    if threat.norm == "linf":
        unit = noise.sign()
    else:
        unit = noise / per_sample(flat_norm(noise, "l2").clamp(min=1e-12), noise)
    return (repeated + unit * per_sample(epsilon, repeated)).clamp(0, 1)
