"""Buttons that set several controls of an attack at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.attacks.settings import PLAIN
from explorer.ui.shared.address import choose_values
from explorer.ui.shared.attack_controls import BY_STEPS, LINKED
from explorer.ui.shared.panda import panda_values

FGSM_BESIDE = "FGSM beside PGD"


@dataclass(frozen=True)
class Preset:
    """``values`` of controls by widget key, and where they come from (``help``)."""

    name: str
    values: dict[str, Any]
    help: str


PRESETS = (
    Preset(
        "8/255",
        {"norm": "L∞", "linf": 8.0, "method": "PGD", "steps": 40},
        "No value changes by more than 8 of 255 (L∞); PGD with 40 steps.",
    ),
    Preset(
        "the panda's ε = 0.007",
        {"norm": "L∞", "linf": 1.785, "method": "FGSM"},
        "ε and method of figure 1 in Goodfellow et al. (2015): 0.007 · 255 = 1.785 of 255, and one "
        "step of FGSM.",
    ),
    Preset(
        "paper: L2 0.5",
        {"norm": "L2", "l2": 0.5, "method": "PGD", "steps": 100},
        "The ε of Ilyas et al. (2019) for pictures of 32 × 32 pixels; PGD with 100 steps.",
    ),
)


def preset_buttons() -> None:
    """A row of buttons; the panda's only if this machine has a classifier that knows pandas."""
    with st.container(horizontal=True, key="presets"):
        for preset in (*PRESETS, *_panda()):
            st.button(
                preset.name,
                help=preset.help,
                on_click=_apply,
                args=(preset,),
                key=f"preset {preset.name}",
            )


def _panda() -> tuple[Preset, ...]:
    values = panda_values()
    if values is None:
        return ()
    help_ = (
        "Like figure 1 of Goodfellow et al. (2015): a giant panda that should become a gibbon, ε = "
        "0.007, with one step of FGSM and with PGD."
    )
    return (Preset("panda → gibbon", {**values, "method": FGSM_BESIDE}, help_),)


def _apply(preset: Preset) -> None:
    choose_values({"effort": BY_STEPS, "rule": PLAIN, **preset.values}, LINKED)
