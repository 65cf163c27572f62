"""``attack`` says why its result may not be trusted, and what another library finds."""

from __future__ import annotations

import json

import pytest

from explorer.experiments import second_opinion
from tests.cli.running import run
from tests.experiments.trust import flawed_models

PICTURE = "gallery:cifar10-00"


def attack(capsys, out, model: str, *more: str):
    options = ["--model", model, "--steps", "10", "--device", "cpu", "--out", str(out), "--json"]
    status, text, err = run(capsys, "attack", PICTURE, *options, *more)
    assert status == 0, err
    return json.loads(text), err


@pytest.mark.parametrize("threat", [("linf", "4/255"), ("l2", "0.5")])
def test_all_is_well_with_a_bundled_classifier(capsys, tmp_path, threat):
    norm, epsilon = threat
    options = ("--norm", norm, "--epsilon", epsilon, "--seed", "3", "--precision", "float32")
    values, err = attack(capsys, tmp_path, "cifar10-standard", *options)
    assert values["warnings"] == []
    assert "warning" not in err
    assert (values["seed"], values["precision"]) == (3, "float32")
    assert {"explorer", "torch", "python"} <= set(values["versions"])


@pytest.mark.parametrize(
    ("function", "code"),
    [("rounded", "zero-gradient"), ("dropping", "random-outputs"), ("softmaxed", "probabilities")],
)
def test_a_network_that_only_seems_robust_is_named(capsys, tmp_path, function, code):
    model = f"{flawed_models.__file__}:{function}"
    values, err = attack(capsys, tmp_path, model, "--epsilon", "4/255")
    (warning,) = [each for each in values["warnings"] if each["code"] == code]
    assert set(warning) == {"code", "text"}
    assert err.count(warning["text"]) == 1


def test_a_second_opinion_agrees_or_not(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(second_opinion, "QUERIES", 200)
    options = ("--epsilon", "4/255", "--second-opinion")
    values, err = attack(capsys, tmp_path, "cifar10-standard", *options)
    opinion = values["second_opinion"]
    assert [each["name"] for each in opinion["attacks"]] == ["APGD", "Square"]
    found = any(each["success"] for each in opinion["attacks"])
    assert opinion["agrees"] == (found == values["success"])
    assert opinion["text"] in err
    assert max(each["distance"] for each in opinion["attacks"]) <= 4 / 255 + 1e-5
    assert opinion["library"] == {"pyautoattack": "0.2.0"}


def test_without_anything_to_attack_the_opinion_is_null(capsys, tmp_path):
    options = ("--epsilon", "0", "--second-opinion")
    values, err = attack(capsys, tmp_path, "cifar10-standard", *options)
    assert values["second_opinion"] is None
    assert "an ε above 0" in err
