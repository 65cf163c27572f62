"""The attack page with a classifier from a person's own Python file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ui.app import ATTACK, choose, component, open_page, outcome, pixels, shown
from tests.ui.user_model import SOURCE

FAILS_WITH_GRADIENTS = """

class Fussy(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3 * 32 * 32, 10)

    def forward(self, x):
        if x.requires_grad:
            raise ValueError("no gradients, please")
        return self.linear(x.flatten(1))


def fussy():
    classifier = make()
    classifier.module = Fussy()
    return classifier
"""


def test_a_module_that_flattens_with_view_is_attacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lenet.py"
    path.write_text(SOURCE)
    name = f"{path}:make"
    monkeypatch.setenv("EXPLORER_MODELS", name)
    at = open_page(ATTACK, model=name, linf="8", steps="10")
    assert not at.error
    assert at.session_state["result attack"].report.recipe.model == name
    assert pixels(at, 0).shape == (32, 32, 3)
    assert 0 < np.abs(pixels(at, 2).astype(int) - pixels(at, 0)).max() <= 8
    assert outcome(at) in ("fooled", "held")
    assert component(at, "scrubber")["steps"] == 10
    choose(at, "button_group", "method", "FGSM beside PGD")
    assert not at.error
    assert at.session_state["result attack fgsm"].report.recipe.is_fgsm


def test_a_module_that_fails_during_the_attack_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lenet.py"
    path.write_text(SOURCE + FAILS_WITH_GRADIENTS)
    name = f"{path}:fussy"
    monkeypatch.setenv("EXPLORER_MODELS", name)
    at = open_page(ATTACK, model=name, linf="8", steps="3")
    (error,) = at.error
    text = shown(error.value)
    assert text.startswith("lenet.py failed in line ")
    assert text.endswith(
        "in forward: ValueError: no gradients, please; correct the file and start again."
    )
    assert not at.exception
