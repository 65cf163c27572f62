"""The same recipe gives the same bytes in every process: idle or busy, with one thread or two."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.packaged import EFFICIENTNET, packaged_weights
from tests.cli.running import ROOT

# Prints a digest of image, trace and logits by classifier and precision.
SCRIPT = """
import json, sys, threading, time
import torch
from explorer.attacks import PGD, Threat
from explorer.classifiers import load
from explorer.classifiers.packaged import EFFICIENTNET
from explorer.engine import explain_precision
from tests.test_golden import digest

if "busy" in sys.argv:
    def work():
        while True:
            torch.rand(64, 64) @ torch.rand(64, 64)
            time.sleep(0.001)
    threading.Thread(target=work, daemon=True).start()
digests = {}
names, thorough = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for name in names:
    classifier = load(name, device="cpu")
    digests[f"{name} is"] = explain_precision(classifier).precision
    if name == EFFICIENTNET:  # so large that the number of threads may change last bits
        continue
    images = torch.rand(1, 3, *classifier.input_size, generator=torch.Generator().manual_seed(2))
    result = PGD(Threat("linf", 0.01), steps=2)(classifier, images, torch.tensor([1]))
    digests[f"{name} auto"] = digest(result.adversarial, result.trace.logits)
for name in thorough:
    classifier = load(name, device="cpu")
    shape = (3, 3, *classifier.input_size)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([1, 2, 3])
    for precision in ("auto", "float32", "folded", "bfloat16"):
        for norm, epsilon in (("linf", 0.01), ("l2", 0.3)):
            attack = PGD(Threat(norm, epsilon), steps=4, precision=precision)
            if "after others" in sys.argv:
                attack(classifier, images, labels)
            result = attack(classifier, images[:1], labels[:1])
            trace = result.trace
            tensors = (result.adversarial, result.logits, trace.loss, trace.logits)
            digests[f"{name} {precision} {norm}"] = digest(*tensors, trace.gradient_norm)
print(json.dumps(digests))
"""


# The other bundled classifiers have the shapes of these.
NAMES = ("tiny12-standard", "cifar10-standard", "cifar10-robust")
THOROUGH = ("tiny12-standard", "cifar10-robust")


def started(threads: int, *how: str) -> subprocess.Popen[str]:
    names = (*NAMES, *([EFFICIENTNET] if packaged_weights() else []))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", SCRIPT, json.dumps(names), json.dumps(THOROUGH), *how]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_every_bundled_classifier_has_one_of_the_shapes():
    cards = bundled_cards()
    shapes = [cards[name].network for name in NAMES]
    assert all(card.network in shapes for card in cards.values())


@pytest.fixture(scope="module")
def alone() -> dict[str, str]:
    """The digests of one process with one thread."""
    output, _ = started(1).communicate(timeout=240)
    digests: dict[str, str] = json.loads(output)
    return digests


def test_three_processes_at_once_choose_the_same_and_give_the_same_bytes(alone):
    processes = [started(2), started(2, "busy"), started(1, "after others")]
    for process in processes:
        output, _ = process.communicate(timeout=240)
        assert json.loads(output) == alone
