from __future__ import annotations

import json

import pytest
import torch

from explorer.experiments.one_image import ladder as one_image_ladder
from explorer.experiments.one_image.ladder import COARSE_TO_FINE, compute_ladder
from explorer.experiments.one_image.recipe import Recipe
from explorer.ui.jobs.job import Job
from explorer.ui.shared import ladder_job
from explorer.ui.shared.ladder_job import EncodedLadder
from explorer.ui.shared.rung_data import BARS, point_data, rung_data
from tests.small_models import any_images, smooth_classifier

CLASSES = 8


@pytest.fixture(scope="module")
def ladder():
    recipe = Recipe("", "", "linf", 4 / 255, 40, target=6)
    return compute_ladder(smooth_classifier(CLASSES, seed=1), any_images(1)[0], recipe)


def test_the_bars_are_label_and_target_and_then_the_most_probable_classes(ladder):
    for rung in ladder.rungs:
        bars = point_data(rung.image, rung.epsilon, "linf")["bars"]
        assert [bar["role"] for bar in bars] == ["label", "target", "", "", ""]
        assert len({bar["name"] for bar in bars}) == BARS
        after = rung.image.after.probabilities
        assert bars[0]["after"] == float(after[rung.image.label])
        assert bars[1]["name"] == "class 6"
        others = [float(p) for i, p in enumerate(after) if i not in (rung.image.label, 6)]
        assert [bar["after"] for bar in bars[2:]] == sorted(others, reverse=True)[:3]


def test_the_browser_gets_what_json_can_hold(ladder):
    rung = ladder.rungs[-1]
    data = rung_data(rung, "linf")
    assert json.loads(json.dumps(data)) == data
    assert data["text"] == "32/255"
    assert data["is_exact"] is False
    assert [picture["title"] for picture in data["shown"]["pictures"]][1] == "adversarial"
    assert data["probabilities"]["target"] == float(rung.image.after.probabilities[6])


def test_each_rung_is_sent_once_and_the_coarse_ones_first(monkeypatch):
    monkeypatch.setattr(one_image_ladder, "COARSE_TO_FINE", COARSE_TO_FINE)  # all of them
    job: Job[EncodedLadder] = Job("key", lambda job: None)
    parts, sizes = ladder_job._Parts(job), []
    recipe = Recipe("", "", "linf", 4 / 255, 40)

    def on_rung(each):
        parts.add(each)
        sizes.append(0 if job.preview is None else len(job.preview))

    whole = compute_ladder(smooth_classifier(seed=1), any_images(1)[0], recipe, on_rung=on_rung)
    sent = parts.finish()
    assert sizes == sorted(sizes)
    assert sizes[3] == 1
    epsilons = [rung["epsilon"] for part in sent for rung in part]
    assert set(epsilons) == set(whole.epsilons)
    latest = {rung["epsilon"]: rung for part in sent for rung in part}
    for rung in whole.rungs:
        assert latest[rung.epsilon]["success"] == rung.image.success
        confidence = torch.tensor(latest[rung.epsilon]["probabilities"]["predicted"])
        assert float(confidence) == pytest.approx(rung.image.after.confidence)
