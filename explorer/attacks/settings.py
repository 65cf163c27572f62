"""The settings of an attack, checked when they are made."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor

from explorer.attacks.losses import LOSSES
from explorer.attacks.threat import AttackError, Threat
from explorer.engine import PRECISIONS

WHOLE_STEPS = 2.5  # the default step t has the share 2.5/t of the largest one, at most all of it
MAX_STEPS = 10_000
MAX_RESTARTS = 1_000


@dataclass(frozen=True, eq=False)
class AttackSettings:
    """All that configures projected gradient descent.

    ``step_size``: constant, in the threat's norm and unit. None takes 2.5 ε/t in step t, at most
    ε: Madry's 2.5 ε/T for every number of steps T at once. It depends on the step and not on how
    many there are, so that more steps continue the same path and never do worse.
    ``restarts`` run side by side as one batch. With ``random_start`` each begins at a point uniform
    in the ball, drawn from (seed, restart) and shared by the samples, so that a sample's result
    does not depend on its batch.
    ``loss``: "ce" (cross-entropy), "cw" (margin) or "dlr".
    ``keep="best"`` returns, per sample, the point with success and then the highest loss, over all
    T + 1 points of all restarts; "last" returns the last iterate, as other libraries do.
    ``precision`` is that of the gradients: see :func:`explorer.engine.gradient_model`. Success is
    always decided in float32 by the classifier itself.
    ``stop_on_success`` leaves a sample alone, with all its restarts, once one of them succeeds: for
    questions that ask whether an attack succeeds and not how clearly. Success is the same; the
    trace repeats from there on, and many ε or restarts cost little more than the hardest one.

    Raises :class:`AttackError` for values that can't be used.
    """

    threat: Threat
    _: KW_ONLY
    steps: int = 40
    step_size: float | Tensor | None = None
    restarts: int = 1
    random_start: bool = True
    loss: str = "ce"
    keep: str = "best"
    precision: str = "auto"
    seed: int = 0
    stop_on_success: bool = False

    def __post_init__(self) -> None:
        _check_count("steps", self.steps, MAX_STEPS)
        _check_count("restarts", self.restarts, MAX_RESTARTS)
        step_size = self.step_size
        if step_size is not None and not bool((torch.as_tensor(step_size) >= 0).all()):
            raise AttackError(
                f"the step size must be at least 0, in pixels of [0, 1]; it is {step_size}"
            )
        if self.restarts > 1 and not self.random_start:
            raise AttackError(
                "restarts without a random start would all be the same; allow the random start "
                "or use one"
            )
        _check_choice("loss", self.loss, tuple(LOSSES))
        _check_choice("keep", self.keep, ("best", "last"))
        _check_choice("precision", self.precision, PRECISIONS)

    def step_scale(self, step: int) -> float:
        """The length of ``step`` (0, 1, …) as a share of the largest step, which is at most ε."""
        return 1.0 if self.step_size is not None else min(1.0, WHOLE_STEPS / (step + 1))


def _check_count(name: str, value: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise AttackError(f"{name} must be a whole number from 1 to {most:,}; it is {value}")


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise AttackError(f"unknown {name} {value!r}: it is one of {', '.join(known)}")
