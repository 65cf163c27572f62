"""The app on a machine whose memory runs short: a sentence, and everything else goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import save_file
from torchvision.models import resnet18

from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models
from explorer.ui.shared.classifiers import MODEL_CACHE
from tests.ui.app import ATTACK, choose, open_page, outcome, shown, wait_until_idle

GREEDY = """
import torch
from torch import nn
from explorer.classifiers import Classifier

class Greedy(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.calls = nn.Linear(3 * 32 * 32, 3), 0

    def forward(self, x):
        self.calls += 1
        if self.calls > 5:
            torch.empty(2**60)  # more than any machine has
        return self.linear(x.flatten(1))

def make():
    return Classifier(Greedy(), labels=list("abc"), input_size=(32, 32), mean=(0.5,) * 3,
                      std=(0.25,) * 3, gallery="cifar10")
"""


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an added classifier with 45 MB of weights, on a machine with 100 MB free."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    weights = tmp_path / "w.safetensors"
    save_file(resnet18(weights=None, num_classes=2).state_dict(), weights)
    card = UserModelCard("large", "resnet18", ("a", "b"), input_size=32, resize=32)
    machine_models().add(card, weights)
    monkeypatch.setattr(MODEL_CACHE, "_free_memory", lambda device: 10**8)
    return "user:large"


def test_a_classifier_too_large_for_the_memory_is_a_sentence(large: str) -> None:
    at = open_page(ATTACK, model=large, steps="2")
    (error,) = at.error
    assert shown(error.value).startswith(
        "There is not enough memory for this classifier: it needs 0.2 GB and 0.1 GB are free"
    )
    choose(at, "selectbox", "model", "cifar10-standard")
    assert not at.error
    assert outcome(at)


def test_memory_that_runs_out_in_an_attack_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "greedy.py"
    path.write_text(GREEDY)
    monkeypatch.setenv("EXPLORER_MODELS", f"{path}:make")
    at = open_page(ATTACK, model=f"{path}:make", steps="20")
    (error,) = at.error
    assert error.value.startswith("There is not enough memory for this; use fewer steps")
    choose(at, "selectbox", "model", "cifar10-standard")
    assert not wait_until_idle(at).error
    assert outcome(at)
