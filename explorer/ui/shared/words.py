"""Sentences about a result, for the screen."""

from __future__ import annotations

from explorer.classifiers import Entry
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.captions import percent


def badge(entry: Entry) -> str:
    """Standard in blue or robust in orange, as Markdown."""
    return ":orange-badge[robust]" if entry.robust else ":blue-badge[standard]"


def verdict(report: AttackReport) -> str:
    """What happened, in one sentence with the numbers it rests on."""
    names = report.names
    label, before, after = names[report.label], report.before, report.after
    start = f"“{before.name}” at {percent(before.confidence)}"
    end = f"“{after.name}” at {percent(after.confidence)}"
    if report.outcome == "misclassified":
        if report.target is not None:
            return f"The classifier says {start} of the original, which is the target: there is nothing to attack."
        return f"The classifier says {start} of the original, not “{label}”: it is wrong before any attack."
    if report.outcome == "held":
        kept = percent(float(after.probabilities[after.index]))
        return f"Still “{after.name}”: {percent(float(before.probabilities[after.index]))} before, {kept} after the attack."
    if report.outcome == "partly" and report.target is not None:
        aim = f"“{names[report.target]}” has {percent(float(after.probabilities[report.target]))}"
        return f"{start} became {end}; the target {aim}."
    return f"{start} became {end}."


def eight_bits(report: AttackReport) -> str:
    """Whether the saved 8-bit image does what the exact one does."""
    if report.outcome == "misclassified":
        return "The original was already misclassified, so there is nothing for the 8-bit image to keep."
    if not report.success:
        return "The attack did not succeed, so there is nothing for the 8-bit image to keep."
    if report.survives_8bit:
        return "Rounded to 8 bits, the image still fools the classifier."
    return "Rounded to 8 bits, the image no longer fools the classifier; the .npy file holds the exact values."
