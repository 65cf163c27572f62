"""The table of speed, as Markdown, from the benchmark's own data:

python -m explorer bench --peers --model torchvision:squeezenet1_1 --batch 1 8 --threads 1 --json \\
    > squeezenet.json
python -m tests.benchmarks.table squeezenet.json ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

MODELS = {
    "torchvision:squeezenet1_1": "SqueezeNet 1.1",
    "torchvision:googlenet": "GoogLeNet",
    "torchvision:resnet50": "ResNet-50",
}
LIBRARIES = {"foolbox": "Foolbox", "art": "ART", "autoattack": "AutoAttack"}
DEFAULT_STEPS = 10


def table(runs: list[dict[str, Any]]) -> str:
    """A row per classifier, batch and number of threads, from the JSON objects of ``bench``.

    It has our milliseconds per step, then each library's time over ours.
    """
    cases = [(case, run["machine"]["threads"]) for run in runs for case in run["cases"]]
    libraries = [row["name"] for row in cases[0][0]["measured"][1:]]
    header = ["classifier, batch", "threads", "ms a step, ours", "of the peak"]
    header += [LIBRARIES.get(library, library) for library in libraries]
    rows = [_row(case, threads, libraries) for case, threads in cases]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def _row(case: dict[str, Any], threads: int, libraries: list[str]) -> list[str]:
    steps = case["setting"]["steps"]
    ours, *others = case["measured"]
    ratios = {row["name"]: row["ratio"][1] for row in others if "ratio" in row}
    name = MODELS.get(case["model"], f"`{case['model']}`")
    note = "" if steps == DEFAULT_STEPS else f" ({steps} steps)"
    return [
        f"{name}, {case['batch']}{note}",
        str(threads),
        f"{1000 * median(ours['seconds']) / steps:.3g}",
        f"{100 * case['share_of_peak']:.0f} %",
        *(f"{ratios[library]:.2f}" if library in ratios else "–" for library in libraries),
    ]


def main() -> None:
    print(table([json.loads(Path(name).read_text()) for name in sys.argv[1:]]))


if __name__ == "__main__":
    main()
