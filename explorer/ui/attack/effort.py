"""How much the attack tries: quick, thorough, or a number of steps."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.attacks.settings import RULES
from explorer.experiments.effort import (
    QUICK,
    QUICK_STEPS,
    RULE,
    STEPS_OF,
    THOROUGH,
    THOROUGH_STEPS,
)
from explorer.ui.shared.address import replace_values
from explorer.ui.shared.attack_controls import BY_STEPS, OLD_RULES
from explorer.ui.shared.attack_widgets import BIND, choose_steps
from explorer.ui.shared.link_words import allow

KEY = "effort"
NAME_OF_QUICK = "Quick"
NAMES = {NAME_OF_QUICK: QUICK, "Thorough": THOROUGH, BY_STEPS: ""}
_HELP = (
    f"Quick: {QUICK_STEPS} steps with momentum, about as strong as 40 of plain PGD. Thorough: "
    f"{THOROUGH_STEPS} of them and, if they fail, up to twelve more attacks, towards each other "
    "class and from other starts. Steps: as many as you choose."
)

_RULE_HELP = (
    "How long a step is. Plain: step number t is 2.5 ε/t long, and at most ε. Momentum: each "
    "step follows an average of the latest gradients and goes on a little in the direction of the "
    "one before, and the attack begins at the image itself; that is stronger after few steps."
)


@dataclass(frozen=True)
class EffortChoice:
    """``effort`` is a recipe's, which is empty for Quick: that is ``steps`` and a ``rule``."""

    effort: str
    steps: int
    rule: str


def accept_pinned_quick() -> None:
    """Show the steps of Quick as Quick, if an address names them: as the link to a result does,
    since what Quick is may change with the version.

    Call it before the page's widgets.
    """
    pinned = {"steps": str(QUICK_STEPS), "rule": RULE}
    if KEY not in st.session_state and st.query_params.get(KEY, BY_STEPS) == BY_STEPS:
        replace_values(pinned, dict.fromkeys((KEY, *pinned), ()))


def choose_effort() -> EffortChoice:
    """The effort, or the number of steps and their rule.

    An address that has one of these and no effort, as older ones do, means steps.
    """
    asked = st.query_params
    if KEY not in st.session_state and KEY not in asked and ("steps" in asked or "rule" in asked):
        st.session_state[KEY] = BY_STEPS
    allow(KEY, NAMES)
    name = st.segmented_control(
        "Effort",
        list(NAMES),
        default=NAME_OF_QUICK,
        required=True,
        key=KEY,
        bind=BIND,
        help=_HELP,
    )
    effort = NAMES[str(name)]
    if not effort:
        steps = choose_steps()
        allow("rule", RULES, OLD_RULES)
        rule = st.selectbox("Step rule", RULES, key="rule", bind=BIND, help=_RULE_HELP)
        return EffortChoice("", steps, str(rule))
    return EffortChoice(effort if effort == THOROUGH else "", STEPS_OF[effort], RULE)
