"""``doctor``: whether this machine is ready for a lecture, and the form each classifier takes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

import torch
from tqdm import tqdm

from explorer.classifiers import Classifier, load
from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.devices import AUTO, DEVICE_HELP, all_devices
from explorer.cli.checks import checks
from explorer.cli.common import UsageError, print_json
from explorer.cli.given import refuse_void
from explorer.engine import (
    Choice,
    Tuning,
    explain_precision,
    forget_tuning,
    gradient_model,
    processor,
    tune,
)
from explorer.figures.captions import count_of
from explorer.files import cache_folder, data_folder, weights_folder
from explorer.system import free_memory

_FORMS = """
What gives each network's gradients: a copy of it in bfloat16, a copy in float32 (folded), or the
network itself (float32). That changes how quick an attack is; whether it succeeds is always decided
by the network itself."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", nargs="+", help="the classifiers to look at (default: the bundled ones)"
    )
    parser.add_argument(
        "--tune",
        action="store_true",
        help="measure the forms of each; every process of this machine uses the quickest then",
    )
    parser.add_argument(
        "--network", action="store_true", help="also try whether weights can be downloaded"
    )
    parser.add_argument("--forget", action="store_true", help="forget what --tune measured")
    parser.add_argument("--device", default=AUTO, help=DEVICE_HELP)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 if all is well, 1 if a check found a fault; with --tune or --forget nothing is checked."""
    if options.tune and options.forget:
        raise UsageError("--tune and --forget exclude each other; use one of them")
    if options.tune or options.forget:
        refuse_void(options, ("--network",), "with --tune and --forget nothing is checked")
    names = list(bundled_cards()) if options.model is None else options.model
    classifiers = [load(name, None, options.device) for name in names]
    if options.forget:
        count = forget_tuning()
        print(f"forgot {count_of(count, 'measured classifier')}", file=sys.stderr)
    tunings = _tune(classifiers) if options.tune else {}
    machine, checked = _machine(), []
    if not (options.tune or options.forget):
        checked = list(checks(options.device, options.network))
    status = int(not all(check.ok for check in checked))
    choices = {each.name: explain_precision(each) for each in classifiers}
    pieces = {each.name: gradient_model(each)[0].autograd_pieces for each in classifiers}
    if options.json:
        models = [
            _values(name, choice, pieces[name], tunings.get(name))
            for name, choice in choices.items()
        ]
        print_json({**machine, "checks": list(map(asdict, checked)), "models": models})
        return status
    for key, value in machine.items():
        if checked and key.endswith("_folder"):  # their checks name them
            continue
        text = ", ".join(value) if isinstance(value, list) else value
        print(f"{key.replace('_', ' '):<20} {text}")
    for check in checked:
        print(f"{check.name:<20} {'ok' if check.ok else 'FAULT':<6} {check.text}")
    print(_FORMS)
    for name, choice in choices.items():
        print(f"{name:<20} {choice.precision:<9} {choice.reason}")
        if choice.precision != "float32" and pieces[name]:
            print(f"{'':<20} autograd computes {', '.join(pieces[name])}")
        if name in tunings:
            print(f"{'':<20} {_times(tunings[name])}")
    return status


def _tune(classifiers: list[Classifier]) -> dict[str, Tuning]:
    bar = tqdm(classifiers, desc="measuring", unit="classifier", file=sys.stderr, disable=None)
    return {classifier.name: tune(classifier) for classifier in bar}


def _machine() -> dict[str, str | int | list[str]]:
    """The processor, and what else a report of a fault or of a speed should name."""
    cpu = processor(torch.device("cpu"))
    others = [processor(device) for device in all_devices() if device.type != "cpu"]
    return {
        "processor": cpu.name,
        "vendor": cpu.vendor,
        "features": list(cpu.features),
        "bfloat16": cpu.reason,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "devices": ["cpu", *(other.description for other in others)],
        "free_memory": f"{free_memory(torch.device('cpu')) // 2**20:,} MiB",
        "cache_folder": str(cache_folder().absolute()),
        "weights_folder": str(weights_folder().absolute()),
        "data_folder": str(data_folder().absolute()),
    }


def _values(
    name: str, choice: Choice, pieces: tuple[str, ...], tuning: Tuning | None
) -> dict[str, object]:
    values: dict[str, object] = {"name": name, **asdict(choice), "autograd": list(pieces)}
    return values if tuning is None else {**values, "milliseconds": tuning.milliseconds}


def _times(tuning: Tuning) -> str:
    """``float32 9.1 and 60.2, folded 7.0 and 50.1 ms for 1 and 8 images``."""
    forms = (
        f"{form} {' and '.join(f'{value:.3g}' for value in by_batch.values())}"
        for form, by_batch in tuning.milliseconds.items()
    )
    batches = next(iter(tuning.milliseconds.values()))
    return f"{', '.join(forms)} ms for {' and '.join(map(str, batches))} images"
