"""The settings of an attack, checked when they are made."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor

from explorer.attacks.arguments import (
    as_count,
    as_length,
    as_seed,
    as_switch,
    check_choice,
    shown,
)
from explorer.attacks.error import AttackError
from explorer.attacks.losses import LOSSES
from explorer.attacks.momentum import LONGEST_SCALE
from explorer.attacks.objective import Objective
from explorer.attacks.threat import Threat
from explorer.engine import PRECISIONS
from explorer.settings import MAX_RESTARTS, MAX_STEPS

WHOLE_STEPS = 2.5  # the default step t has the share 2.5/t of the largest one, at most all of it
PLAIN, MOMENTUM = "plain", "momentum"
RULES = (PLAIN, MOMENTUM)


@dataclass(frozen=True, eq=False)
class AttackSettings:
    """All that configures projected gradient descent.

    ``step_size``: constant, in the threat's norm and unit. None takes 2.5 ε/t in step t, at most
    ε: Madry's 2.5 ε/T for every number of steps T at once. It depends on the step and not on how
    many there are, so that more steps continue the same path and never do worse.
    ``rule``: "plain", or "momentum", which averages gradients and looks ahead
    (:mod:`explorer.attacks.momentum`): step t has the size 2.5 ε/t, at most 2 ε, and the first
    restart begins at the image itself. It is stronger after few steps.
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
    rule: str = PLAIN
    loss: str = "ce"
    keep: str = "best"
    precision: str = "auto"
    seed: int = 0
    stop_on_success: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.threat, Threat):
            raise AttackError(
                "the attack's first argument is a Threat, such as Threat('linf', 8/255); it is "
                f"{shown(self.threat)}"
            )
        self._set("steps", as_count("steps", self.steps, MAX_STEPS))
        self._set("restarts", as_count("restarts", self.restarts, MAX_RESTARTS))
        self._set("random_start", as_switch("random_start", self.random_start))
        self._set("stop_on_success", as_switch("stop_on_success", self.stop_on_success))
        self._set("seed", as_seed(self.seed))
        if self.step_size is not None:
            self._set("step_size", _checked_step_size(self.step_size))
        if self.restarts > 1 and not self.random_start:
            raise AttackError(
                "restarts without a random start would all be the same; allow the random start "
                "or use one"
            )
        check_choice("rule", self.rule, RULES)
        check_choice("loss", self.loss, tuple(LOSSES))
        check_choice("keep", self.keep, ("best", "last"))
        check_choice("precision", self.precision, PRECISIONS)

    def _set(self, name: str, value: object) -> None:
        """Replace an argument by the value that it stands for."""
        object.__setattr__(self, name, value)

    def objective(self, labels: Tensor, targets: Tensor | None) -> Objective:
        """What the attack raises, for ``labels`` int64 [M] or towards ``targets`` int64 [M]."""
        return Objective(self.loss, labels, targets)

    def step_scale(self, step: int) -> float:
        """The length of ``step`` (0, 1, …) as a multiple of the step size, or of ε without one."""
        if self.step_size is not None:
            return 1.0
        longest = LONGEST_SCALE if self.rule == MOMENTUM else 1.0
        return min(longest, WHOLE_STEPS / (step + 1))

    def starts_at_image(self, restart: int) -> bool:
        """Whether this restart (0, 1, …) begins at the image itself."""
        return not self.random_start or (restart == 0 and self.rule == MOMENTUM)


def _checked_step_size(value: object) -> float | Tensor:
    step_size = as_length("step_size", value)
    lengths = torch.as_tensor(step_size)
    if not bool((lengths >= 0).all() & torch.isfinite(lengths).all()):
        raise AttackError(f"the step size must be at least 0; it is {shown(step_size)}")
    return step_size
