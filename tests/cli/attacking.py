"""An attack by the command line, in this process."""

from __future__ import annotations

import json

import numpy as np

from explorer.images.gallery import sample
from tests.cli.running import run

QUICK = ["--model", "cifar10-standard", "--epsilon", "8/255", "--steps", "5", "--device", "cpu"]


def attack(capsys, out, *more: str):
    """The JSON object of an attack on a picture of a cat, with results in ``out``."""
    arguments = ["attack", "gallery:cifar10-00", *QUICK, "--out", str(out), "--json", *more]
    status, text, err = run(capsys, *arguments)
    assert status == 0, err
    return json.loads(text)


def original():
    """The picture of the cat, [3, 32, 32] in [0, 1]."""
    return np.asarray(sample("cifar10-00").read()).transpose(2, 0, 1) / 255


def adversarial_bytes(folder):
    return (folder / "adversarial.npy").read_bytes()
