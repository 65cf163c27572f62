"""What each classifier of a comparison says of each picture, as the cells of a table."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.experiments.compare import ComparedClassifier, Comparison
from explorer.experiments.noise_control import NoiseControl
from explorer.experiments.one_image.report import Prediction
from explorer.experiments.picture_transfer import Transfer
from explorer.figures.captions import confidence_text
from explorer.figures.palette import OUTCOME_MARKS, Mark


@dataclass(frozen=True)
class Cell:
    """One classifier's answer: the class's ``name`` and ``confidence``, both empty without one.

    ``mark`` is the outcome, None where there is nothing to judge. ``is_own`` says that the picture
    was made on this classifier; ``note`` is a remark below the answer.
    """

    mark: Mark | None
    name: str
    confidence: str
    note: str = ""
    is_own: bool = False


@dataclass(frozen=True)
class TableRow:
    """A picture, and a :class:`Cell` for each classifier that it was shown to, in their order."""

    title: str
    cells: tuple[Cell, ...]


def comparison_table(comparison: Comparison) -> tuple[TableRow, ...]:
    """The original, the adversarial picture made on each classifier, and noise of the same size."""
    classifiers = comparison.classifiers
    originals = TableRow("original", tuple(map(_original, classifiers)))
    made = (
        TableRow(
            f"made to fool {made_on.title}",
            tuple(_transfer(comparison.transfer(made_on.name, to.name)) for to in classifiers),
        )
        for made_on in classifiers
    )
    noise = TableRow("noise of the same size", tuple(_noise(each.noise) for each in classifiers))
    return originals, *made, noise


def fooled_draws(noise: NoiseControl) -> str:
    """How many draws of noise did what the attack aims at: ``0 of 20 draws fool it``."""
    return f"{noise.successes} of {noise.draws} draws fool it"


def _original(classifier: ComparedClassifier) -> Cell:
    report = classifier.report
    wrong = report.outcome == "misclassified"
    return _answer(report.before, OUTCOME_MARKS["misclassified"] if wrong else None)


def _transfer(transfer: Transfer) -> Cell:
    answer, is_own = transfer.answer, transfer.made_on == transfer.shown_to
    if answer is None:
        return Cell(None, "", "", f"not shown: {transfer.note}")
    return _answer(answer.after, OUTCOME_MARKS[answer.outcome], transfer.note, is_own)


def _noise(noise: NoiseControl) -> Cell:
    return _answer(noise.prediction, OUTCOME_MARKS[noise.outcome], fooled_draws(noise))


def _answer(
    prediction: Prediction, mark: Mark | None, note: str = "", is_own: bool = False
) -> Cell:
    return Cell(mark, prediction.name, confidence_text(prediction.confidence), note, is_own)
