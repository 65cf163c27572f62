"""A second opinion on an attack: APGD and Square of another library, on the same image and ε.

Both come from ``pyautoattack``, the code of the papers' authors. APGD (Croce and Hein 2020, arXiv
2003.01690) follows the gradient and chooses its step sizes itself; Square (Andriushchenko et al.
2020, arXiv 1912.00049) only asks for outputs, so that masked gradients don't mislead it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from explorer.attacks.threat import flat_norm
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.errors import Cancelled, UserError
from explorer.experiments.evaluation.auto_attack import (
    NORMS,
    SILENT,
    STEPS,
    TOLERANCE,
    check_size,
    library_module,
    library_version,
)
from explorer.experiments.one_image.attack_image import is_success, predict
from explorer.experiments.one_image.report import AttackReport, Prediction

APGD, SQUARE = "APGD", "Square"
QUERIES = 1000  # of Square; most of what it finds in 5000 it finds in the first 1000
DLR_CLASSES = 3  # the fewest with which the DLR loss is defined

OnCall = Callable[[int, int], None]
"""``on_call(calls of the classifier, most calls)``."""


@dataclass(frozen=True)
class Opinion:
    """What the attack called ``name`` reached: its ``success`` and the ``prediction`` there.

    ``distance`` is in the norm of the attack.
    """

    name: str
    success: bool
    prediction: Prediction
    distance: float


@dataclass(frozen=True)
class SecondOpinion:
    """The other library's attacks beside the one in the report, whose success was ``first``."""

    first: bool
    apgd: Opinion
    square: Opinion
    library: dict[str, str]

    @property
    def agrees(self) -> bool:
        """Whether they come to the same result: with Square alone, a failure proves nothing."""
        return (self.apgd.success or self.square.success) == self.first

    @property
    def sentence(self) -> str:
        """Whether they confirm or contradict the result, and what follows."""
        return self._on_success() if self.first else self._on_failure()

    def _on_success(self) -> str:
        apgd, square = self.apgd.success, self.square.success
        if apgd:
            more = "Square, which needs no gradient, does too" if square else _SQUARE_FAILS
            return f"The result is confirmed: APGD also succeeds at this ε. {more}."
        if square:
            return "The result is confirmed: Square also succeeds at this ε, though APGD does not."
        return (
            "The result is not confirmed: neither APGD nor Square succeeds at this ε. The success "
            "was verified and stands; it is just not easy to find."
        )

    def _on_failure(self) -> str:
        if self.apgd.success:
            return (
                "The result is contradicted: APGD succeeds at this ε, so the classifier is not "
                "robust here. More steps, restarts or another loss may find that too."
            )
        if self.square.success:
            return (
                "The result is contradicted: Square, which needs no gradient, succeeds at this ε, "
                "so the classifier is not robust here. The gradient misleads the attacks that "
                "follow it."
            )
        return "The result is confirmed: neither APGD nor Square succeeds at this ε."


_SQUARE_FAILS = f"Square, which needs no gradient, does not within {QUERIES:,} queries"


def second_opinion(
    classifier: Classifier,
    report: AttackReport,
    *,
    on_call: OnCall = lambda calls, most: None,
    cancelled: Callable[[], bool] | None = None,
) -> SecondOpinion:
    """APGD and Square on the image, label, target and ε of ``report``.

    APGD raises the cross-entropy in 100 steps and, if that fails, DLR in 100 more. The numbers are
    drawn from the recipe's seed; torch's global random state stays as it is. Raises
    :class:`~explorer.errors.UserError` where there is nothing to attack or the library is missing,
    and :class:`~explorer.errors.Cancelled` when ``cancelled()``, asked at each call, is true.
    """
    if report.outcome == "misclassified" or report.recipe.epsilon == 0:
        raise UserError(
            "a second opinion needs an image that is classified correctly, and an ε above 0"
        )
    check_size(report.original)
    losses = _losses(report)
    by_apgd = len(losses) * (STEPS + 1)
    question = _Question(report, classifier, by_apgd + QUERIES + 1, on_call, cancelled)
    with evaluation_mode(classifier), question.random_numbers:
        for loss in losses:
            apgd = question.opinion(APGD, partial(question.apgd, loss))
            if apgd.success:
                break
        question.skip_to(by_apgd)
        square = question.opinion(SQUARE, question.square)
    return SecondOpinion(report.success, apgd, square, library_version())


def _losses(report: AttackReport) -> tuple[str, ...]:
    """The losses that APGD raises in turn, in the library's words."""
    if report.target is not None:
        return ("ce-targeted-cfts",)  # minus the cross-entropy of the target
    return ("ce", "dlr") if len(report.names) >= DLR_CLASSES else ("ce",)


class _SucceededError(Exception):
    """The attack has shown the classifier an image that does what it aims at."""


class _Question:
    """What both attacks are asked, and the classifier as they call it.

    An attack ends with the first image that succeeds.
    """

    def __init__(
        self,
        report: AttackReport,
        classifier: Classifier,
        most_calls: int,
        on_call: OnCall,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.random_numbers = _OwnRandomNumbers(report.recipe.seed)
        self._report, self._classifier = report, classifier
        self._calls, self._most_calls = 0, most_calls
        self._on_call, self._cancelled = on_call, cancelled
        device = classifier.device
        self._image = report.original[None].to(device)
        goal = report.label if report.target is None else report.target
        self._goal = torch.tensor([goal], device=device)
        self._common = {
            "norm": NORMS[report.recipe.norm],
            "eps": report.recipe.epsilon,
            "seed": report.recipe.seed,
            "device": device,
        }

    def apgd(self, loss: str) -> Tensor:
        """What APGD with this loss makes of the image, float32 [1, C, H, W]."""
        attack = library_module("autopgd_base").APGDAttack(
            self._logits, n_iter=STEPS, loss=loss, logger=SILENT, **self._common
        )
        attack.init_hyperparam(self._image)
        highest_loss, _, _, misclassified = attack.attack_single_run(self._image, self._goal)
        result: Tensor = misclassified if self._report.target is None else highest_loss
        return result.detach()

    def square(self) -> Tensor:
        """What Square makes of the image, float32 [1, C, H, W]."""
        attack = library_module("square").SquareAttack(
            self._logits,
            n_queries=QUERIES,
            targeted=self._report.target is not None,
            **self._common,
        )
        attack.init_hyperparam(self._image)
        result: Tensor = attack.attack_single_run(self._image, self._goal)[1]
        return result

    def opinion(self, name: str, attack: Callable[[], Tensor]) -> Opinion:
        """What the classifier says of the image that ``attack`` makes, if it is within ε."""
        try:
            adversarial = attack()
        except _SucceededError as error:
            (adversarial,) = error.args
        recipe = self._report.recipe
        distance = float(flat_norm(adversarial - self._image, recipe.norm))
        prediction = predict(self._classifier, adversarial)[0]
        success = is_success(prediction.index, self._report.label, self._report.target)
        inside = distance <= recipe.epsilon + TOLERANCE
        return Opinion(name, success and inside, prediction, distance)

    def skip_to(self, calls: int) -> None:
        """Count the calls as made that turned out not to be needed."""
        self._calls = calls

    def _logits(self, images: Tensor) -> Tensor:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled
        with self.random_numbers.left_alone():
            logits: Tensor = self._classifier(images)
        self._calls += 1
        self._on_call(min(self._calls, self._most_calls), self._most_calls)
        if is_success(int(logits.argmax()), self._report.label, self._report.target):
            raise _SucceededError(images.detach())
        return logits


class _OwnRandomNumbers(TorchFunctionMode):
    """Draws the numbers of ``torch.rand`` and ``torch.randn`` from a generator of its own.

    It concerns the present thread alone. The library's own way is to seed torch's global generator,
    which other visitors' attacks would notice and change.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed % 2**63)
        self._active = True

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self._active and func in (torch.rand, torch.randn):
            return func(*args, **{"generator": self._generator, **(kwargs or {})})
        return func(*args, **(kwargs or {}))

    @contextmanager
    def left_alone(self) -> Iterator[None]:
        """A block whose random numbers are those of torch: the classifier's own."""
        self._active = False
        try:
            yield
        finally:
            self._active = True
