"""A row's data: which classes have bars, and what stands for the noise until it is there."""

from __future__ import annotations

import pytest

from explorer.experiments.noise_control import NoiseControl
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.figures.palette import ADVERSARIAL, ROBUST, STANDARD
from explorer.ui.compare.classifier_row import row_data
from explorer.ui.shared.classifiers import entries
from tests.figures.conftest import make_report


def noise_of(report: AttackReport, index: int, outcome: str = "held") -> NoiseControl:
    """A control whose first draw is called class ``index``."""
    probabilities = report.before.probabilities * 0
    probabilities[index] = 1
    prediction = Prediction(probabilities, report.names)
    return NoiseControl(report.original, prediction, outcome, 4 / 255, 0.5, 20, 1, 0.5)


def test_label_target_and_all_predictions_have_bars() -> None:
    report = make_report(label=3, target=5)
    data = row_data(report, noise_of(report, 9), entries()["cifar10-standard"], STANDARD)
    names = [group["name"] for group in data["bars"]]
    assert names[:2] == ["class 3", "class 5"]
    assert {report.before.name, report.after.name, "class 9"} <= set(names)
    assert [group["role"] for group in data["bars"]][:3] == ["label", "target", ""]
    for group in data["bars"]:
        index = report.names.index(group["name"])
        values = {bar["picture"]: bar["value"] for bar in group["bars"]}
        assert list(values) == ["original", "with noise", "adversarial"]
        assert values["adversarial"] == float(report.after.probabilities[index])
        assert values["with noise"] == float(index == 9)


def test_until_the_noise_is_there_its_place_is_kept() -> None:
    report = make_report(target=None)
    data = row_data(report, None, entries()["cifar10-robust"], ROBUST)
    assert len(data["pictures"]) == 4
    assert data["pictures"][3]["src"] is None
    original, noise, adversarial = data["bars"][0]["bars"]
    assert (noise["value"], noise["text"]) == (0, "–")
    assert "%" in original["text"]
    assert "%" in adversarial["text"]
    assert len(data["bars"]) == 3
    assert (data["training"], data["colour"]) == ("robust", ROBUST)


@pytest.mark.parametrize(("outcome", "colour"), [("fooled", ADVERSARIAL), ("held", None)])
def test_noise_that_fools_has_the_colour_of_that(outcome: str, colour: str | None) -> None:
    report = make_report(norm="l2", epsilon=0.5)
    data = row_data(report, noise_of(report, 1, outcome), entries()["cifar10-standard"], STANDARD)
    noise = data["pictures"][3]
    assert (noise["title"], noise["colour"]) == ("original + noise, L2 0.5", colour)
    assert noise["note"] == "1 of 20 draws fool it"
    assert data["colour"] == STANDARD
