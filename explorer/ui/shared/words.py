"""Sentences about a result, for the screen."""

from __future__ import annotations

from explorer.classifiers import Entry
from explorer.experiments.one_image.report import AttackedImage
from explorer.figures.captions import confidence_text, unchecked_rounding


def badge(entry: Entry) -> str:
    """Markdown of a badge: standard training in blue, robust training in orange."""
    return ":orange-badge[robust]" if entry.robust else ":blue-badge[standard]"


def verdict(report: AttackedImage) -> str:
    """What the attack did, in one sentence with the confidences."""
    names, before, after = report.names, report.before, report.after
    start = f"“{before.name}” at {confidence_text(before.confidence)}"
    end = f"“{after.name}” at {confidence_text(after.confidence)}"
    if report.outcome == "misclassified":
        says = f"The classifier says {start} of the original"
        if report.target is not None:
            return f"{says}, which is the target: there is nothing to attack."
        return f"{says}, not “{names[report.label]}”: it is wrong before any attack."
    if report.outcome == "held":
        start, end = (
            confidence_text(float(each.probabilities[after.index])) for each in (before, after)
        )
        return f"Still “{after.name}”: {start} before, {end} after the attack."
    if report.outcome == "partly" and report.target is not None:
        confidence = confidence_text(float(after.probabilities[report.target]))
        return f"{start} became {end}; the target “{names[report.target]}” has {confidence}."
    return f"{start} became {end}."


def eight_bits(report: AttackedImage) -> str:
    """Whether the saved 8-bit image does what the exact one does."""
    if reason := unchecked_rounding(report):
        return f"8 bits: {reason}."
    if report.survives_8bit:
        return "Saved with 8 bits, the image still fools the classifier."
    exact = "The .npy file holds the exact values."
    if report.target is not None:
        return f"Saved with 8 bits, it is no longer called “{report.names[report.target]}”. {exact}"
    return f"Saved with 8 bits, the image no longer fools the classifier. {exact}"
