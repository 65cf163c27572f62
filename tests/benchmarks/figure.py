"""The plot in README, from the benchmarks' own data:

python -m explorer bench --scaling --model torchvision:squeezenet1_1 --model tiny12-standard --batch 1 8 32 \\
    --threads 1 --json > scaling.json
python -m tests.benchmarks.page --people 1 2 4 --json > page.json
python -m tests.benchmarks.figure scaling.json page.json assets/cost.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#00876B")
KINDS = {
    "steps": "steps",
    "batch": "images in a batch",
    "side": "side of the image, pixels",
    "epsilons": "ε at once",
    "restarts": "restarts at once",
}


def draw(scaling: dict[str, Any], page: dict[str, Any]) -> Figure:
    """Six panels: seconds against steps, batch and side, ε and restarts relative to one, people, memory."""
    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    axes = figure.subplots(2, 3).flatten()
    for place, kind in zip(axes, ("steps", "batch", "side"), strict=False):
        _seconds(place, scaling, kind)
    _relative(axes[3], scaling)
    _people(axes[4], page)
    _memory(axes[5], scaling)
    machine = scaling["machine"]
    figure.suptitle(
        f"Cost of the attack on {_threads(machine)} ({machine['processor']}), torch {machine['torch']}",
        fontsize=10,
    )
    return figure


def _threads(machine: dict[str, Any]) -> str:
    return f"{machine['threads']} of {machine['cores']} CPU cores"


def _costs(model: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [cost for cost in model["costs"] if cost["what"] == kind]


def _dress(place: Axes, across: str, up: str) -> None:
    place.set_xlabel(across)
    place.set_ylabel(up)
    place.set_ylim(bottom=0)
    place.grid(alpha=0.25)
    place.spines[["top", "right"]].set_visible(False)


def _seconds(place: Axes, scaling: dict[str, Any], kind: str) -> None:
    for model, colour in zip(scaling["models"], COLOURS, strict=False):
        costs = _costs(model, kind)
        place.plot(
            [c["value"] for c in costs],
            [c["seconds"] for c in costs],
            "o-",
            color=colour,
            label=model["model"],
        )
    _dress(place, KINDS[kind], "seconds")
    place.legend(frameon=False, fontsize=7)


def _relative(place: Axes, scaling: dict[str, Any]) -> None:
    """How many times as long as one ε, or one start: to the end, and (paler) each sample only until it is fooled."""
    at = 0.0
    ticks: dict[float, str] = {}
    for model, colour in zip(scaling["models"], COLOURS, strict=False):
        for kind in ("epsilons", "restarts"):
            for what, alpha in ((kind, 1.0), (f"{kind}, until fooled", 0.45)):
                ratio = _costs(model, what)[-1]["ratio"][1]
                place.bar(at, ratio, 0.95, color=colour, alpha=alpha)
                place.text(at, ratio, f"{ratio:.1f}", ha="center", va="bottom", fontsize=6)
                at += 1
            ticks[at - 1.5] = f"{_costs(model, kind)[-1]['value']:g} {KINDS[kind].split()[0]}"
            at += 0.5
    place.set_xticks(list(ticks), list(ticks.values()), fontsize=7)
    _dress(place, "at once: to the end, and (paler) until fooled", "times the cost of one")
    place.grid(visible=False, axis="x")


def _people(place: Axes, page: dict[str, Any]) -> None:
    found = page["milliseconds by people"]
    counts = [int(people) for people in found]
    for kind, colour in (("new", COLOURS[0]), ("kept from before", COLOURS[2])):
        place.plot(
            counts,
            [found[str(n)][kind]["total"] / 1000 for n in counts],
            "o-",
            color=colour,
            label=kind,
        )
    place.set_xticks(counts)
    _dress(place, f"people moving ε at once ({page['model']}, all cores)", "seconds until painted")
    place.legend(frameon=False, fontsize=7)


def _memory(place: Axes, scaling: dict[str, Any]) -> None:
    """Of the first model alone: after it the process holds pages that the others' batches use unseen."""
    model = scaling["models"][0]
    place.plot(
        [m["batch"] for m in model["memory"]],
        [m["peak"] / 2**20 for m in model["memory"]],
        "o-",
        color=COLOURS[0],
    )
    _dress(place, f"images in a batch ({model['model']})", "MiB at its height")


def main() -> None:
    scaling, page = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    with rc_context({"font.size": 8, "svg.fonttype": "none", "svg.hashsalt": "explorer"}):
        draw(scaling, page).savefig(
            sys.argv[3], metadata={"Date": None} if sys.argv[3].endswith(".svg") else None, dpi=150
        )


if __name__ == "__main__":
    main()
