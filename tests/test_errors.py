"""Failures of a person's own code and the frame to blame, and the names that were meant."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import PGD, Threat
from explorer.classifiers import load
from explorer.errors import failure_of_user_code, named_twice, nearest

FAILS_IN_A_BATCH = """
from torch import nn
from explorer.classifiers import Classifier

class Fussy(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3 * 8 * 8, 2)

    def forward(self, x):
        if len(x) > 1:
            raise RuntimeError("one image at a time")
        return self.linear(x.flatten(1))

def make():
    return Classifier(Fussy(), labels=["a", "b"], input_size=(8, 8))
"""


def test_the_failing_line_of_a_persons_file_is_named(tmp_path) -> None:
    path = tmp_path / "fussy.py"
    path.write_text(FAILS_IN_A_BATCH, encoding="utf-8")
    classifier = load(f"{path}:make")
    images, labels = torch.rand(2, 3, 8, 8), torch.zeros(2, dtype=torch.long)
    with pytest.raises(RuntimeError) as caught:
        PGD(Threat("linf", 0.1), steps=2)(classifier, images, labels)
    assert failure_of_user_code(caught.value) == (
        "fussy.py failed in line 12, in forward: RuntimeError: one image at a time; correct the "
        "file and start again"
    )


def test_other_failures_are_not_those_of_a_person() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    assert failure_of_user_code(caught.value) is None


@pytest.mark.parametrize(
    ("text", "options", "near"),
    [
        ("imge", ["image", "model", "norm"], ["image"]),
        ("model", ["compare_models", "compare_image"], ["compare_models"]),
        ("seed", ["row_seed", "origin"], ["row_seed"]),
        ("zebr", ["zebra", "zebra finch", "cat"], ["zebra", "zebra finch"]),
        ("xyz", ["image", "model"], []),
        ("", ["image"], []),
    ],
)
def test_the_nearest_names(text: str, options: list[str], near: list[str]) -> None:
    assert nearest(text, options) == near


def test_names_that_are_there_more_than_once_are_all_said() -> None:
    assert not named_twice(["a", "b"], "model")
    once = "; name each model once"
    assert named_twice(["a", "b", "a", "a"], "model") == f"a is named more than once{once}"
    assert named_twice(["a", "b", "b", "a"], "model") == f"a and b are named more than once{once}"
