"""How much an attack tries: a name in place of numbers of steps and restarts.

Quick takes as many steps as strength needs, as ``tests/benchmarks/README.md`` has measured it: in
twelve questions on five classifiers they reached what the usual PGD reaches in 40 after 3 to 9
steps. Thorough goes on where PGD fails: see :class:`~explorer.attacks.Thorough`. Both step by the
rule "momentum".
"""

from __future__ import annotations

from explorer.attacks import PGD, Thorough
from explorer.attacks.settings import MOMENTUM
from explorer.errors import UserError, short

QUICK, THOROUGH = "quick", "thorough"
EFFORTS = (QUICK, THOROUGH)
RULE = MOMENTUM
QUICK_STEPS = 10
THOROUGH_STEPS = 40  # of its first attack
STEPS_OF = {QUICK: QUICK_STEPS, THOROUGH: THOROUGH_STEPS}


class EffortError(UserError):
    """An effort that there is not."""


def with_effort(attack: PGD, effort: str) -> PGD | Thorough:
    """``attack``, made thorough if ``effort`` says so; it is a name or empty.

    Quick is steps and a rule, and changes nothing here. Raises :class:`EffortError`.
    """
    if effort not in ("", *EFFORTS):
        raise EffortError(f"the effort is {QUICK} or {THOROUGH}; it is {short(effort)}")
    return Thorough(attack) if effort == THOROUGH else attack


def most_steps(attack: PGD, effort: str, classes: int, *, targeted: bool) -> int:
    """The most steps that one image takes with this effort, each restart counted."""
    run = with_effort(attack, effort)
    if isinstance(run, Thorough):
        return run.most_steps(classes, targeted=targeted)
    return run.steps * run.restarts
