"""One image at many ε: a ladder of attacks, each of which begins where the one below ended.

It is computed coarse to fine: a few ε over the whole range, then those between them, and at last
the gap below the smallest ε with success is halved a few times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.attacks import AttackError, AttackResult, OnStep
from explorer.attacks.settings import MOMENTUM, PLAIN
from explorer.classifiers import Classifier
from explorer.engine import thread_count
from explorer.errors import Cancelled
from explorer.experiments.one_image.attack_image import (
    attack_from,
    attacked_image,
    label_of,
    predict,
)
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackedImage, AttackReport, Prediction

# ε in 32nds of the largest one, from coarse to fine. They are dense where classifiers give way.
COARSE_TO_FINE = (
    *(4.0, 16.0, 32.0, 1.0),
    *(0.5, 2.0, 8.0, 24.0),
    *(0.25, 0.75, 1.5, 3.0, 5.0, 6.0, 10.0, 12.0, 20.0),
)
PARTS = 32.0
HALVINGS = 3  # of the gap in which the smallest ε with success lies
LARGEST_LINF = 32 / 255
LARGEST_L2 = 4.0  # at 32 × 32; in a larger image a change of the same size per pixel is longer

# Steps of the first attack, and of those that begin where another one ended. Measured on 200 rungs
# of bundled classifiers: the label keeps 0.2 points more of its probability than after 40 steps
# from a random start, 3.6 at most; 40 steps succeed on two rungs more, beside the smallest ε.
FIRST_STEPS, RUNG_STEPS = 20, 6
PLAIN_STEPS_OF_MOMENTUM = 4  # so many are about as strong as one step with momentum
RUNG_STEP_SIZE = 0.25  # of ε: 6 such steps raise the loss further than 6 that begin with ε itself


@dataclass(frozen=True)
class Rung:
    """The attacked image at one ε.

    ``is_exact`` says that it is what the question's own attack finds at this ε, and not one that
    began where the attack with another ε ended. At ε = 0 nothing is changed, which is exact.
    """

    epsilon: float
    image: AttackedImage
    is_exact: bool


@dataclass(frozen=True)
class Ladder:
    """The rungs of one image by ascending ε, the first of which is ε = 0.

    ``recipe`` is that of :func:`ladder_recipe`. A change within a small ε is one within a larger ε
    too, so success never falls from rung to rung. FGSM is the exception, whose rungs are all exact:
    its one step can go too far.
    """

    recipe: Recipe
    rungs: tuple[Rung, ...]

    @property
    def epsilons(self) -> tuple[float, ...]:
        """The ε of the rungs, ascending."""
        return tuple(rung.epsilon for rung in self.rungs)

    @property
    def smallest(self) -> Rung | None:
        """The rung with the smallest ε that succeeds: an upper bound of the smallest possible."""
        return next((rung for rung in self.rungs if rung.image.success), None)

    def nearest(self, epsilon: float) -> Rung:
        """The rung whose ε is nearest; of two at the same distance the lower one."""
        return min(self.rungs, key=lambda rung: abs(rung.epsilon - epsilon))

    def with_rung(self, rung: Rung) -> Ladder:
        """The same with ``rung`` in its place, instead of an earlier one of the same ε.

        A rung that failed takes over the image of one that succeeded with the same ε or a smaller
        one, unless the attack is FGSM.
        """
        keeps_success = not self.recipe.is_fgsm
        earlier = next((each for each in self.rungs if each.epsilon == rung.epsilon), None)
        if keeps_success and earlier and earlier.image.success and not rung.image.success:
            return self
        others = [each for each in self.rungs if each is not earlier]
        rungs = sorted([*others, rung], key=lambda each: each.epsilon)
        return replace(self, rungs=tuple(_monotone(rungs) if keeps_success else rungs))

    def with_report(self, report: AttackReport) -> Ladder:
        """The same with the exact result of the question among the rungs.

        Raises :class:`AttackError` for the report of a question about another image or aim.
        """
        first = self.rungs[0].image
        mine = (self.recipe.norm, first.label, first.target, self.recipe.is_fgsm)
        theirs = (report.recipe.norm, report.label, report.target, report.recipe.is_fgsm)
        if mine != theirs or not torch.equal(first.original, report.original):
            raise AttackError("this report does not answer the question that the ladder is of")
        return self.with_rung(Rung(report.recipe.epsilon, report, is_exact=True))


OnRung = Callable[[Ladder], None]
"""``on_rung(ladder so far)``, after each rung."""


def ladder_recipe(recipe: Recipe) -> Recipe:
    """The part of ``recipe`` on which its ladder depends; its ε is 0.

    Questions for which it is equal, such as those that differ in ε alone, have the same ladder.
    """
    asked = replace(recipe, epsilon=0.0, effort="", result_digest="")
    asked = replace(asked, original=None, adversarial=None)
    if recipe.is_fgsm:
        return asked.fgsm()
    worth = PLAIN_STEPS_OF_MOMENTUM if recipe.rule == MOMENTUM else 1
    steps = min(worth * recipe.steps, FIRST_STEPS)
    return replace(asked, steps=steps, step_size=None, restarts=1, rule=PLAIN, keep="best")


def largest_epsilon(norm: str, size: tuple[int, int]) -> float:
    """The ε of the highest rung for images of ``size`` (height, width)."""
    return LARGEST_LINF if norm == "linf" else LARGEST_L2 * math.sqrt(size[0] * size[1]) / 32


def compute_ladder(
    classifier: Classifier,
    image: Tensor,
    recipe: Recipe,
    *,
    on_step: OnStep | None = None,
    on_rung: OnRung | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Ladder:
    """The ladder of ``image``, float32 [3, H, W] in [0, 1], for a question with this ``recipe``.

    It does not depend on the question's ε; :meth:`Ladder.with_report` adds the exact result.
    ``on_step(steps done, steps, loss)`` reports progress over all rungs and ``on_rung(ladder)``
    each new rung. Raises :class:`AttackError` for a recipe that does not suit this classifier or
    image, and :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    largest = largest_epsilon(recipe.norm, (image.shape[-2], image.shape[-1]))
    with thread_count(recipe.threads):
        attacks = _RungAttacks(classifier, image, ladder_recipe(recipe), on_step, cancelled)
        ladder = Ladder(attacks.recipe, (attacks.unchanged(),))
        while (epsilon := _next_epsilon(ladder, largest)) is not None:
            ladder = ladder.with_rung(attacks.rung(ladder, epsilon))
            if on_rung is not None:
                on_rung(ladder)
    if on_step is not None:
        on_step(attacks.steps, attacks.steps, attacks.loss)
    return ladder


def _next_epsilon(ladder: Ladder, largest: float) -> float | None:
    """The ε of the rung to compute next, or None if the ladder is complete."""
    for part in COARSE_TO_FINE:
        if (epsilon := part / PARTS * largest) not in ladder.epsilons:
            return epsilon
    first = next((i for i, rung in enumerate(ladder.rungs) if rung.image.success), 0)
    if not first or len(ladder.rungs) >= 1 + len(COARSE_TO_FINE) + HALVINGS:
        return None
    return (ladder.epsilons[first - 1] + ladder.epsilons[first]) / 2


def _monotone(rungs: list[Rung]) -> list[Rung]:
    """The same where each rung that failed above one that succeeded has the image of that one."""
    best: Rung | None = None
    rungs = list(rungs)
    for i, rung in enumerate(rungs):
        if rung.image.success:
            best = rung
        elif best is not None:
            rungs[i] = Rung(rung.epsilon, best.image, is_exact=False)
    return rungs


class _RungAttacks:
    """The attacks of the rungs, which count their steps together in ``on_step``."""

    def __init__(
        self,
        classifier: Classifier,
        image: Tensor,
        recipe: Recipe,
        on_step: OnStep | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._classifier, self._pixels = classifier, image
        self._on_step, self._cancelled = on_step, cancelled
        self._before = predict(classifier, image[None])[0]
        self._label = label_of(recipe, self._before)
        threads = torch.get_num_threads() if classifier.device.type == "cpu" else None
        self.recipe = replace(recipe, label=self._label, threads=threads)
        self._warm_steps = min(RUNG_STEPS, recipe.steps)
        warm = len(COARSE_TO_FINE) - 1 + HALVINGS
        self.steps = recipe.steps + warm * self._warm_steps
        self.loss = 0.0
        self._steps_taken = 0

    def unchanged(self) -> Rung:
        """The rung of ε = 0."""
        return Rung(0.0, self._attacked(self._pixels, self._before), is_exact=True)

    def rung(self, ladder: Ladder, epsilon: float) -> Rung:
        """The rung of ``epsilon``, which begins where its neighbour in ``ladder`` ended."""
        recipe, initial = replace(self.recipe, epsilon=epsilon), None
        if self.recipe.is_fgsm:
            recipe = recipe.fgsm()
        elif (neighbour := _neighbour(ladder, epsilon)) is not None:
            step_size = RUNG_STEP_SIZE * epsilon
            recipe = replace(recipe, steps=self._warm_steps, step_size=step_size)
            change = neighbour.image.adversarial.to(self._pixels) - self._pixels
            initial = (self._pixels + change * (epsilon / neighbour.epsilon))[None]
        result = self._attack(recipe, initial)
        if self._cancelled is not None and self._cancelled():  # what follows is like another step
            raise Cancelled
        after = Prediction(result.logits[0].softmax(dim=0).cpu(), self._classifier.labels)
        return Rung(epsilon, self._attacked(result.adversarial[0], after), self.recipe.is_fgsm)

    def _attack(self, recipe: Recipe, initial: Tensor | None) -> AttackResult:
        target = recipe.target
        result = attack_from(recipe)(
            self._classifier,
            self._pixels[None],
            torch.tensor([self._label]),
            None if target is None else torch.tensor([target]),
            initial=initial,
            on_step=self._count,
            cancelled=self._cancelled,
        )
        self._steps_taken += recipe.steps
        return result

    def _count(self, taken: int, steps: int, loss: float) -> None:
        self.loss = loss
        if self._on_step is not None:
            self._on_step(self._steps_taken + taken, self.steps, loss)

    def _attacked(self, adversarial: Tensor, after: Prediction) -> AttackedImage:
        return attacked_image(
            self._classifier,
            self._pixels,
            adversarial,
            self._before,
            after,
            label=self._label,
            target=self.recipe.target,
        )


def _neighbour(ladder: Ladder, epsilon: float) -> Rung | None:
    """The rung below ``epsilon`` or, where that is ε = 0, the one above; None if there is none."""
    below = [rung for rung in ladder.rungs if 0 < rung.epsilon < epsilon]
    above = [rung for rung in ladder.rungs if rung.epsilon > epsilon]
    return below[-1] if below else above[0] if above else None
