"""Plain CUDA, CUDA graphs and torch.compile on a GPU, in turn, beside the CPU's logits:

python -m tests.benchmarks.gpu [--model NAME ...] [--batch 1 8 128] [--rounds N] [--json]

PGD with 10 steps at L∞ ε = 4/255, and "quick", 5 steps with momentum. "plain" is the loop with
torch's kernels; each other form adds what its name says. Success is the classifier's in float32.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from explorer.attacks import PGD, Threat
from explorer.attacks.settings import MOMENTUM
from explorer.benchmarks.baselines import BASELINES, Attack, Setting
from explorer.benchmarks.models import load_model
from explorer.benchmarks.rounds import gallery_images, run_interleaved
from explorer.classifiers import Classifier
from explorer.engine import logits_of
from explorer.files import shared_folder
from explorer.settings import COMPILE, GRAPHS
from explorer.system import tune_process

MODELS = ("cifar10-standard", "tiny12-standard", "efficientnet_lite0", "torchvision:squeezenet1_1")
SETTING = Setting()
LINE = (
    "{model}, {batch}: {attack}: {milliseconds:.1f} ms, success {success:.0%}, logits within "
    "{logits:.0e} of the CPU's, as a share of the largest, and {labels:.1%} of its labels"
)
ATTACKS = {
    "PGD": PGD(Threat("linf", SETTING.epsilon), steps=SETTING.steps),
    "quick": PGD(Threat("linf", SETTING.epsilon), steps=5, rule=MOMENTUM),
}
FORMS = {"plain": (False, False), "graphs": (True, False), "compiled": (False, True)}
FORMS["compiled, graphs"] = (True, True)


@contextmanager
def _settings(graphs: bool, compiled: bool) -> Iterator[None]:
    values = {GRAPHS.name: str(int(graphs)), COMPILE.name: str(int(compiled))}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _attack(
    pgd: PGD, classifier: Classifier, form: tuple[bool, bool], images: Tensor, labels: Tensor
) -> Tensor:
    with _settings(*form):
        return pgd(classifier, images, labels).adversarial


def measure(name: str, batches: list[int], rounds: int, forms: list[str]) -> list[dict[str, Any]]:
    """A row for each batch size and attack: milliseconds and success by form."""
    load = partial(load_model, name, None, shared=shared_folder())
    # One classifier for each form of its copies, since the copies stay.
    classifiers = {compiled: load("cuda").classifier for compiled in (False, True)}
    cpu, gpu = load("cpu").classifier, classifiers[False]
    noise = torch.rand(64, 3, *gpu.input_size, generator=torch.Generator().manual_seed(0))
    expected, computed = logits_of(cpu, noise), logits_of(gpu, noise.cuda()).cpu()
    parity = {
        "logits": float((expected - computed).abs().max() / expected.abs().max()),
        "labels": float((expected.argmax(1) == computed.argmax(1)).float().mean()),
    }
    rows = []
    for batch in batches:
        images, labels = gallery_images(gpu, batch)
        attacks: dict[str, Attack] = {}
        for attack, pgd in ATTACKS.items():
            for form in forms:
                compiled = FORMS[form][1]
                attacks[f"{attack}, {form}"] = partial(
                    _attack, pgd, classifiers[compiled], FORMS[form]
                )
        for baseline in BASELINES[:2]:
            if baseline.package is not None:
                attacks[baseline.name] = baseline.attack(gpu, SETTING)
        start = time.perf_counter()
        result = run_interleaved(attacks, images, labels, rounds)
        for attack, seconds in result.seconds.items():
            success = logits_of(gpu, result.adversarial[attack]).argmax(dim=1) != labels
            rows.append(
                {
                    "model": name,
                    "batch": batch,
                    "attack": attack,
                    "milliseconds": 1000 * sorted(seconds)[len(seconds) // 2],
                    "success": float(success.float().mean()),
                    **parity,
                }
            )
        errors = {attack: str(error)[:200] for attack, error in result.errors.items()}
        print(f"# {name}, {batch}: {time.perf_counter() - start:.0f} s {errors or ''}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="+", default=list(MODELS))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 128])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--form", nargs="+", choices=tuple(FORMS), default=list(FORMS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tune_process()
    rows: list[dict[str, Any]] = []
    for name in options.model:
        rows += measure(name, options.batch, options.rounds, options.form)
    if options.json:
        print(json.dumps({"device": torch.cuda.get_device_name(), "rows": rows}))
        return
    for row in rows:
        print(LINE.format(**row))


if __name__ == "__main__":
    main()
