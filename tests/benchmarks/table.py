"""README's table of speed, from the benchmark's own data:

python -m explorer bench --peers --model torchvision:squeezenet1_1 --batch 1 8 --threads 1 --json > squeezenet.json
python -m tests.benchmarks.table squeezenet.json ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

NAMES = {
    "torchvision:squeezenet1_1": "SqueezeNet 1.1",
    "torchvision:googlenet": "GoogLeNet",
    "torchvision:resnet50": "ResNet-50",
}
PEERS = {"foolbox": "Foolbox", "art": "ART", "autoattack": "AutoAttack"}
USUAL = 10  # steps


def table(runs: list[dict[str, Any]]) -> str:
    """A row per classifier, batch and number of threads: our milliseconds a step, then each peer's time over ours."""
    cases = [(case, run["machine"]["threads"]) for run in runs for case in run["cases"]]
    peers = [found["name"] for found in cases[0][0]["measured"][1:]]
    head = [
        "classifier, batch",
        "threads",
        "ms a step, ours",
        "of the peak",
        *(PEERS.get(peer, peer) for peer in peers),
    ]
    rows = [head, ["---"] * len(head), *(_row(case, threads, peers) for case, threads in cases)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(case: dict[str, Any], threads: int, peers: list[str]) -> list[str]:
    steps = case["setting"]["steps"]
    ours, *others = case["measured"]
    ratios = {found["name"]: found["ratio"][1] for found in others if "ratio" in found}
    name = NAMES.get(case["model"], f"`{case['model']}`")
    return [
        f"{name}, {case['batch']}{'' if steps == USUAL else f' ({steps} steps)'}",
        str(threads),
        f"{1000 * median(ours['seconds']) / steps:.3g}",
        f"{100 * case['share_of_peak']:.0f} %",
        *(f"{ratios[peer]:.2f}" if peer in ratios else "–" for peer in peers),
    ]


def main() -> None:
    print(table([json.loads(Path(name).read_text()) for name in sys.argv[1:]]))


if __name__ == "__main__":
    main()
