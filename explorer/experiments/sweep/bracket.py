"""A batch of images, each between an ε at which attacks failed and one at which they succeeded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from explorer.attacks import PGD, Threat
from explorer.attacks.objective import Objective
from explorer.attacks.threat import flat_norm, per_sample
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import gradient_model, logits_of
from explorer.errors import Cancelled
from explorer.experiments.sweep.boundary_walk import walk_along_boundary
from explorer.experiments.sweep.set_attack import SetAttack, rows_where, same_prediction

# The margin is positive exactly where the attack succeeds. With cross-entropy the median was 1 to
# 4 % larger on cifar10-standard.
LOSS = "cw"
GROWTH = 2.0  # between the values of ε of an image that is not bracketed yet
TOLERANCE = 1.05  # a bracket is closed when its ends are this near: the walk does the rest
REOPENED = 0.96  # the lower end after a success below it: attacks are no proofs
CLASSES = 9  # of the most probable ones that are tried as the nearest
SEGMENT = 8  # points between the original and an adversarial image that are tried at once
FLOOR = 1e-6  # of the largest ε: where the search for a smaller one ends


class Bracket:
    """The search for the smallest ε of each of N images.

    ``images`` are float32 [N, C, H, W] in [0, 1] and ``labels`` int64 [N]. ``smallest`` float32 [N]
    is the distance of ``adversarial`` [N, C, H, W], infinite while there is none.

    Each round attacks every image that is open once, in one batch: at three values of ε until it
    is bracketed, then halfway between its ends. The attack begins at the nearest adversarial image
    found before, or on the straight way to the nearest class. A success is moved towards the
    original as far as it stays one.
    """

    POINTS = 3

    def __init__(
        self,
        classifier: Classifier,
        attack: SetAttack,
        images: Tensor,
        labels: Tensor,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._classifier, self._attack, self._cancelled = classifier, attack, cancelled
        self._images, self._labels = images, labels
        self._limit = attack.largest_epsilon(images[0])
        is_wrong = self.predicted(images) != labels
        self.smallest = torch.where(is_wrong, 0.0, torch.inf)
        self.adversarial = images.clone()
        self._failed = torch.zeros(len(images))  # the largest ε below ``smallest`` that failed
        distance, self._direction = self._linearise()
        self._guess = distance.clamp(FLOOR * self._limit, self._limit)

    @property
    def is_open(self) -> bool:
        """Whether another round may change anything."""
        return bool(self._open.any())

    @property
    def _open(self) -> Tensor:
        may_grow = torch.isinf(self.smallest) & (self._failed < self._limit)
        is_wide = torch.isfinite(self.smallest) & (self.smallest > TOLERANCE * self._failed)
        return may_grow | (is_wide & (self.smallest > FLOOR * self._limit))

    def predicted(self, images: Tensor) -> Tensor:
        """The class that the classifier predicts for each of ``images``: int64 [N]."""
        return self._logits(images).argmax(dim=1)

    def narrow(self) -> None:
        """One round. Raises :class:`~explorer.errors.Cancelled` where that was asked for."""
        rows = rows_where(self._open)
        is_bracketed = torch.isfinite(self.smallest[rows]) & (self._failed[rows] > 0)
        self._bisect(rows[is_bracketed])
        self._grow(rows[~is_bracketed])

    def finish(self) -> None:
        """Move each adversarial image along the decision boundary, towards its original.

        Raises :class:`~explorer.errors.Cancelled` where that was asked for.
        """
        is_found = torch.isfinite(self.smallest) & (self.smallest > FLOOR * self._limit)
        rows = rows_where(is_found)
        if not len(rows):
            return
        nearest = walk_along_boundary(
            self._classifier,
            self._attack.norm,
            self._images[rows],
            self._labels[rows],
            self.adversarial[rows],
            self._cancelled,
        )
        self.adversarial[rows] = nearest
        self.smallest[rows] = flat_norm(nearest - self._images[rows], self._attack.norm)

    def _grow(self, rows: Tensor) -> None:
        """Attack at several ε: around the first guess, below a success or above a failure."""
        if not len(rows):
            return
        powers = GROWTH ** torch.arange(self.POINTS)
        smallest, failed = self.smallest[rows, None], self._failed[rows, None]
        above = torch.where(failed > 0, failed * GROWTH, self._guess[rows, None] / GROWTH)
        lowest = torch.where(torch.isfinite(smallest), smallest / GROWTH**self.POINTS, above)
        epsilon = (lowest * powers).clamp(max=self._limit).flatten()
        attack = self._attack.at(epsilon)
        self._run(attack, rows.repeat_interleave(self.POINTS), epsilon)

    def _bisect(self, rows: Tensor) -> None:
        """Attack at the geometric mean of the bracket's ends."""
        if not len(rows):
            return
        epsilon = (self.smallest[rows] * self._failed[rows]).sqrt()
        self._run(self._attack.at(epsilon), rows, epsilon)

    def _run(self, attack: PGD, rows: Tensor, epsilon: Tensor) -> None:
        attack = replace(attack, loss=LOSS, random_start=attack.restarts > 1)
        result = attack(
            self._classifier,
            self._images[rows],
            self._labels[rows],
            initial=self._start(rows, epsilon),
            cancelled=self._cancelled,
        )
        hits = rows_where(result.success)
        if len(hits):
            self._add(rows[hits], result.adversarial[hits])
        failed = torch.where(result.success, 0.0, epsilon)
        below = torch.where(failed < self.smallest[rows], failed, 0.0)
        self._failed = self._failed.scatter_reduce(0, rows, below, "amax")

    def _start(self, rows: Tensor, epsilon: Tensor) -> Tensor:
        """Where attacks begin: at the adversarial image, or a step towards the nearest class."""
        step = self._direction[rows] * per_sample(epsilon, self._images)
        is_found = torch.isfinite(self.smallest[rows])[:, None, None, None]
        return torch.where(is_found, self.adversarial[rows], self._images[rows] + step)

    def _add(self, rows: Tensor, adversarial: Tensor) -> None:
        """Take the ``adversarial`` images of ``rows`` that are nearer than those found before.

        Several may be of one image.
        """
        moved = self._moved_back(rows, adversarial)
        still = (self.predicted(moved) != self._labels[rows])[:, None, None, None]
        adversarial = torch.where(still, moved, adversarial)
        distance = flat_norm(adversarial - self._images[rows], self._attack.norm)
        for index in distance.argsort(descending=True, stable=True).tolist():
            row = rows[index]
            if distance[index] < self.smallest[row]:
                self.smallest[row] = distance[index]
                self.adversarial[row] = adversarial[index]
        is_crossed = self._failed >= self.smallest
        self._failed = torch.where(is_crossed, REOPENED * self.smallest, self._failed)

    def _moved_back(self, rows: Tensor, adversarial: Tensor) -> Tensor:
        """The adversarial point nearest to the original among some on the straight way there."""
        images = self._images[rows]
        delta = adversarial - images
        distance = flat_norm(delta, self._attack.norm)
        low = (self._failed[rows] / distance).clamp(0, 1)
        high = torch.ones_like(low)
        labels = self._labels[rows].repeat_interleave(SEGMENT)
        for _ in range(2):
            width = (high - low)[:, None] / SEGMENT
            shares = low[:, None] + width * torch.arange(1, SEGMENT + 1)
            points = images[:, None] + delta[:, None] * shares[..., None, None, None]
            is_right = same_prediction(self._logits(points.flatten(0, 1)), labels)
            first_wrong = is_right.view(len(rows), SEGMENT).int().argmin(dim=1, keepdim=True)
            high = shares.gather(1, first_wrong)[:, 0]
            low = high - width[:, 0]
        return images + delta * per_sample(high, delta)

    def _linearise(self) -> tuple[Tensor, Tensor]:
        """The distance to the nearest decision boundary of the classifier's tangent, and the way.

        float32 [N], and [N, C, H, W] with the norm 1: the first step of DeepFool
        (Moosavi-Dezfooli et al. 2016, arXiv 1511.04599) towards the most probable classes. The
        class with the largest logit need not be the nearest.
        """
        device = self._classifier.device
        images, labels = self._images.to(device), self._labels.to(device)
        surrogate, _ = gradient_model(self._classifier, self._attack.precision)
        threat = Threat(self._attack.norm, 1.0)
        distance = torch.full((len(images),), torch.inf)
        direction = torch.zeros_like(self._images)
        others = self._logits(self._images).scatter(1, self._labels[:, None], -torch.inf)
        classes = others.topk(min(CLASSES, others.shape[1] - 1), dim=1).indices.to(device)
        for targets in classes.T:
            self._check_cancelled()
            with evaluation_mode(self._classifier):
                at_image = Objective(LOSS, labels, targets)(surrogate, images)
            assert at_image.gradient is not None
            way = threat.normalized_gradient(at_image.gradient.cpu())
            slope = (at_image.gradient.cpu() * way).flatten(1).sum(dim=1)
            length = -at_image.loss.cpu() / slope.clamp_min(1e-30)
            is_nearer = length < distance
            distance = torch.where(is_nearer, length, distance)
            direction = torch.where(is_nearer[:, None, None, None], way, direction)
        return distance, direction

    def _check_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled

    def _logits(self, images: Tensor) -> Tensor:
        with evaluation_mode(self._classifier):
            return logits_of(self._classifier, images.to(self._classifier.device)).cpu()
