"""The memory that attacks need does not grow with their number."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# A batch that stays referenced after each attack would add 30 MiB in 40 attacks.
CODE = """
import sys
from explorer.system import tune_process
tune_process()
import resource, torch
from torch import nn
from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier

network = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
)
classifier = Classifier(network.eval(), labels=list("abcd"), input_size=(32, 32))
images, labels = torch.rand(64, 3, 32, 32), torch.zeros(64, dtype=torch.int64)
attack = PGD(Threat("linf", 0.03), steps=3, precision=sys.argv[1])

def peak_after(attacks):
    for _ in range(attacks):
        attack(classifier, images, labels)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak_after(20)
print(peak_after(40) - before)
"""


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_the_peak_memory_of_sixty_attacks_is_that_of_twenty(precision):
    process = subprocess.run(
        [sys.executable, "-c", CODE, precision],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(process.stdout) < 8 * 1024  # KiB
