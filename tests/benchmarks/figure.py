"""The plot of costs (``assets/cost.svg``), from the benchmarks' own data:

python -m explorer bench --scaling --model torchvision:squeezenet1_1 --model tiny12-standard \\
    --batch 1 8 32 --threads 1 --json > scaling.json
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
LABELS = {
    "steps": "steps",
    "batch": "images in a batch",
    "side": "side of the image, pixels",
    "epsilons": "ε at once",
    "restarts": "restarts at once",
}


def draw(scaling: dict[str, Any], page: dict[str, Any]) -> Figure:
    """Six plots of ``bench --scaling --json`` and of :mod:`tests.benchmarks.page`.

    Seconds against steps, batch and side; the cost of several ε and restarts relative to one; the
    time on the page against the number of people; memory.
    """
    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    plots = figure.subplots(2, 3).flatten()
    for plot, what in zip(plots, ("steps", "batch", "side"), strict=False):
        _draw_seconds(plot, scaling, what)
    _draw_ratios(plots[3], scaling)
    _draw_people(plots[4], page)
    _draw_memory(plots[5], scaling)
    machine = scaling["machine"]
    threads = f"{machine['threads']} of {machine['cores']} CPU cores ({machine['processor']})"
    figure.suptitle(f"Cost of the attack on {threads}, torch {machine['torch']}", fontsize=10)
    return figure


def _costs(model: dict[str, Any], what: str) -> list[dict[str, Any]]:
    return [cost for cost in model["costs"] if cost["what"] == what]


def _label(plot: Axes, x_label: str, y_label: str) -> None:
    plot.set_xlabel(x_label)
    plot.set_ylabel(y_label)
    plot.set_ylim(bottom=0)
    plot.grid(alpha=0.25)
    plot.spines[["top", "right"]].set_visible(False)


def _draw_seconds(plot: Axes, scaling: dict[str, Any], what: str) -> None:
    for model, colour in zip(scaling["models"], COLOURS, strict=False):
        costs = _costs(model, what)
        values, seconds = [cost["value"] for cost in costs], [cost["seconds"] for cost in costs]
        plot.plot(values, seconds, "o-", color=colour, label=model["model"])
    _label(plot, LABELS[what], "seconds")
    plot.legend(frameon=False, fontsize=7)


def _draw_ratios(plot: Axes, scaling: dict[str, Any]) -> None:
    """The cost of several ε or restarts over that of one.

    Pale bars are attacks in which a sample stops once it is fooled.
    """
    x = 0.0
    ticks: dict[float, str] = {}
    for model, colour in zip(scaling["models"], COLOURS, strict=False):
        for what in ("epsilons", "restarts"):
            for series, alpha in ((what, 1.0), (f"{what}, until fooled", 0.45)):
                ratio = _costs(model, series)[-1]["ratio"][1]
                plot.bar(x, ratio, 0.95, color=colour, alpha=alpha)
                plot.text(x, ratio, f"{ratio:.1f}", ha="center", va="bottom", fontsize=6)
                x += 1
            ticks[x - 1.5] = f"{_costs(model, what)[-1]['value']:g} {LABELS[what].split()[0]}"
            x += 0.5
    plot.set_xticks(list(ticks), list(ticks.values()), fontsize=7)
    _label(plot, "at once: all steps, and (pale) until fooled", "times the cost of one")
    plot.grid(visible=False, axis="x")


def _draw_people(plot: Axes, page: dict[str, Any]) -> None:
    by_people = page["milliseconds by people"]
    counts = [int(people) for people in by_people]
    for kind, colour in (("new", COLOURS[0]), ("from cache", COLOURS[2])):
        seconds = [by_people[str(count)][kind]["total"] / 1000 for count in counts]
        plot.plot(counts, seconds, "o-", color=colour, label=kind)
    plot.set_xticks(counts)
    people = f"people moving ε at once ({page['model']}, all cores)"
    _label(plot, people, "seconds until painted")
    plot.legend(frameon=False, fontsize=7)


def _draw_memory(plot: Axes, scaling: dict[str, Any]) -> None:
    """Of the first model alone: later the process has free pages that hide what a batch takes."""
    model = scaling["models"][0]
    batches = [row["batch"] for row in model["memory"]]
    mebibytes = [row["peak"] / 2**20 for row in model["memory"]]
    plot.plot(batches, mebibytes, "o-", color=COLOURS[0])
    _label(plot, f"images in a batch ({model['model']})", "peak, MiB")


def main() -> None:
    scaling, page = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    out = sys.argv[3]
    with rc_context({"font.size": 8, "svg.fonttype": "none", "svg.hashsalt": "explorer"}):
        metadata = {"Date": None} if out.endswith(".svg") else None
        draw(scaling, page).savefig(out, metadata=metadata, dpi=150)


if __name__ == "__main__":
    main()
