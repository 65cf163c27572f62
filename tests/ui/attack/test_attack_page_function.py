"""The attack page with a person's function: grey images, and probabilities in place of logits."""

from __future__ import annotations

import pytest

from tests.ui.app import ATTACK, open_page

MODELS_FILE = """
import torch
from explorer.classifiers import Classifier

def make(**options):
    torch.manual_seed(0)
    layers = [torch.nn.Flatten(), torch.nn.Linear(256, 3), torch.nn.Softmax(dim=1)]
    labels = {"0": "a", "1": "b", "2": "c"}
    return Classifier(
        torch.nn.Sequential(*layers), labels=labels, input_size=(16, 16), channels=1, **options
    )

def logs():
    return make(outputs="probabilities")
"""


@pytest.mark.parametrize(("function", "warned"), [("make", True), ("logs", False)])
def test_a_grey_picture_is_attacked_and_probabilities_are_warned_of(
    function, warned, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "models.py"
    path.write_text(MODELS_FILE)
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EXPLORER_MODELS", f"{path}:{function}")
    at = open_page(ATTACK, model=f"{path}:{function}")
    assert not at.error
    report = at.session_state["result attack"].report
    assert report.adversarial.shape == (1, 16, 16)
    warnings = [each.value for each in at.warning if "returns probabilities" in each.value]
    assert bool(warnings) == warned
