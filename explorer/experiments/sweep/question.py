"""A question about many images and several classifiers, and its answer: what the commands and the
page share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import torch

from explorer.classifiers import Classifier
from explorer.engine import gradient_model
from explorer.experiments.one_image.attack_image import versions
from explorer.experiments.sweep.accuracy_sweep import SweepRow, accuracy_sweep
from explorer.experiments.sweep.caveats import middle_of_search, middle_of_sweep, set_caveats
from explorer.experiments.sweep.epsilons import automatic_epsilons
from explorer.experiments.sweep.image_set import ImageSet
from explorer.experiments.sweep.recipe import SMALLEST, SWEEP, ModelRecord, SetRecipe
from explorer.experiments.sweep.set_attack import OnProgress, SetAttack, ignore_progress
from explorer.experiments.sweep.smallest_epsilon import SmallestEpsilons, smallest_epsilons
from explorer.experiments.sweep.transfer import TransferCell, transfer_matrix
from explorer.experiments.trust import RISING, Caveat
from explorer.ranks import ALONE, Ranks


@dataclass(frozen=True)
class Question:
    """What is asked: the classifiers, the images as each takes them, and the recipe."""

    classifiers: tuple[Classifier, ...]
    images: tuple[ImageSet, ...]
    recipe: SetRecipe

    @property
    def attack(self) -> SetAttack:
        """The attack of the recipe."""
        return self.recipe.attack

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers' names, as they were asked for."""
        return tuple(model.name for model in self.recipe.models)


@dataclass(frozen=True)
class Answer:
    """The result, of which there is one kind, and the reasons to doubt it.

    ``curves`` and ``smallest`` are by classifier, and lack those that are not done yet.
    """

    question: Question
    curves: dict[str, list[SweepRow]] = field(default_factory=dict)
    smallest: dict[str, SmallestEpsilons] = field(default_factory=dict)
    cells: list[TransferCell] = field(default_factory=list)
    caveats: tuple[Caveat, ...] = ()

    @property
    def rows(self) -> list[dict[str, object]]:
        """The result as a table, each row with the same columns."""
        names = self.question.names
        if self.curves:
            return [
                {"model": name, **asdict(row)} for name in self.curves for row in self.curves[name]
            ]
        if self.smallest:
            return [
                {"model": name, "image": key, "epsilon": epsilon, "success": epsilon is not None}
                for name, images in zip(names, self.question.images, strict=True)
                if name in self.smallest
                for key, epsilon in zip(images.keys, self.smallest[name].values, strict=False)
            ]
        return [
            {
                "from": names[cell.row],
                "to": names[cell.column],
                "n": cell.n,
                "rate": cell.rate,
                "low": cell.low,
                "high": cell.high,
            }
            for cell in self.cells
        ]


def asked(
    recipe: SetRecipe, classifiers: Sequence[Classifier], images: Sequence[ImageSet]
) -> Question:
    """The question of ``recipe`` with the digests, the precisions and the versions filled in."""
    models = tuple(
        ModelRecord(
            model.name,
            model.weights,
            classifier.digest,
            each.data.digest,
            gradient_model(classifier, recipe.attack.precision)[1],
        )
        for model, classifier, each in zip(recipe.models, classifiers, images, strict=True)
    )
    is_cpu = classifiers[0].device.type == "cpu"
    complete = replace(
        recipe,
        models=models,
        device=str(classifiers[0].device),
        threads=torch.get_num_threads() if is_cpu else None,
        versions=versions(),
    )
    return Question(tuple(classifiers), tuple(images), complete)


def answer(
    question: Question,
    *,
    ranks: Ranks = ALONE,
    on_progress: OnProgress = ignore_progress,
    on_answer: Callable[[Answer], None] = lambda answer: None,
    cancelled: Callable[[], bool] | None = None,
) -> Answer:
    """The complete answer; ``on_answer`` gets what there is of it, again and again.

    Raises :class:`~explorer.errors.UserError` for settings that can't be used, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    run = _Run(question, ranks, on_progress, on_answer, cancelled)
    if question.recipe.question == SWEEP:
        return run.sweep()
    if question.recipe.question == SMALLEST:
        return run.smallest()
    return run.transfer()


@dataclass(frozen=True)
class _Run:
    question: Question
    ranks: Ranks
    on_progress: OnProgress
    on_answer: Callable[[Answer], None]
    cancelled: Callable[[], bool] | None

    def sweep(self) -> Answer:
        result, caveats = Answer(self.question), list[Caveat]()
        attack, asked_for = self.question.attack, self.question.recipe.epsilons
        for index, name in enumerate(self.question.names):
            data = self.question.images[index].data
            scale = automatic_epsilons(attack.norm, attack.largest_epsilon(data.images[0]))

            def show(rows: list[SweepRow], name: str = name, so_far: Answer = result) -> None:
                self.on_answer(replace(so_far, curves={**so_far.curves, name: rows}))

            rows = accuracy_sweep(
                self.question.classifiers[index],
                data,
                attack,
                asked_for or scale,
                until_zero=not asked_for,
                ranks=self.ranks,
                on_progress=self._progress_of(index),
                on_rows=show,
                cancelled=self.cancelled,
            )
            caveats += self._caveats(index, middle_of_sweep(rows, attack.norm))
            result = replace(result, curves={**result.curves, name: rows})
        return replace(result, caveats=tuple(caveats))

    def smallest(self) -> Answer:
        result, caveats = Answer(self.question), list[Caveat]()
        attack = self.question.attack
        for index, name in enumerate(self.question.names):

            def show(found: SmallestEpsilons, name: str = name, so_far: Answer = result) -> None:
                self.on_answer(replace(so_far, smallest={**so_far.smallest, name: found}))

            found = smallest_epsilons(
                self.question.classifiers[index],
                self.question.images[index].data,
                attack,
                ranks=self.ranks,
                on_progress=self._progress_of(index),
                on_result=show,
                cancelled=self.cancelled,
            )
            # The search goes on where these attacks end, so a loss that still rises is no reason.
            caveats += [
                each
                for each in self._caveats(index, middle_of_search(found, attack.norm))
                if each.code != RISING
            ]
            result = replace(result, smallest={**result.smallest, name: found})
        return replace(result, caveats=tuple(caveats))

    def transfer(self) -> Answer:
        (epsilon,) = self.question.recipe.epsilons
        cells = transfer_matrix(
            self.question.classifiers,
            [each.data for each in self.question.images],
            self.question.attack,
            epsilon,
            ranks=self.ranks,
            on_progress=self.on_progress,
            cancelled=self.cancelled,
        )
        count = len(self.question.classifiers) if epsilon > 0 else 0
        caveats = [each for index in range(count) for each in self._caveats(index, epsilon)]
        return Answer(self.question, cells=cells, caveats=tuple(caveats))

    def _progress_of(self, index: int) -> OnProgress:
        """Progress within the part of one classifier."""
        return partial(_report_part, self.on_progress, index, len(self.question.classifiers))

    def _caveats(self, index: int, epsilon: float) -> tuple[Caveat, ...]:
        if not self.ranks.is_first:
            return ()
        question = self.question
        caveats = set_caveats(
            question.classifiers[index],
            question.images[index].data,
            question.attack,
            epsilon,
            self.cancelled,
        )
        if len(question.names) == 1:
            return caveats
        title = question.classifiers[index].title
        return tuple(replace(each, text=f"for {title}: {each.text}") for each in caveats)


def _report_part(on_progress: OnProgress, part: int, parts: int, done: int, total: int) -> None:
    on_progress(part * total + done, parts * total)
