"""``rerun`` of an attack: the same bytes, or a list of what differs."""

from __future__ import annotations

import json
import shlex

import pytest

from explorer.classifiers import load
from explorer.experiments.effort import QUICK_STEPS
from explorer.experiments.one_image.recipe_file import read_recipe
from tests.cli.attacking import QUICK, adversarial_bytes, attack
from tests.cli.running import run
from tests.threads import threads


def test_rerun_gives_the_same_result_and_lists_differences(capsys, tmp_path):
    attack(capsys, tmp_path / "a")
    recipe = tmp_path / "a" / "recipe.json"
    again = ["rerun", str(recipe), "--out", str(tmp_path / "b"), "--json"]
    status, text, err = run(capsys, *again)
    assert (status, json.loads(text)["differences"]) == (0, [])
    assert "the same again" in err
    assert adversarial_bytes(tmp_path / "a") == adversarial_bytes(tmp_path / "b")
    changed = json.loads(recipe.read_text())
    changed["versions"]["torch"] = "1.0"
    changed["result_digest"] = "0" * 64
    recipe.write_text(json.dumps(changed))
    status, text, err = run(capsys, *again)
    assert status == 1
    assert "the adversarial image is not the same" in err
    assert "torch: was 1.0" in err
    status, _, err = run(capsys, *again, "--image", "gallery:cifar10-01")
    assert status == 1
    assert "the image is not the same" in err


def test_a_rerun_computes_with_the_threads_of_its_recipe(capsys, tmp_path):
    options = ("--restarts", "5", "--precision", "float32")
    with threads(2):
        attack(capsys, tmp_path / "a", *options)
    recipe = tmp_path / "a" / "recipe.json"
    assert json.loads(recipe.read_text())["threads"] == 2
    with threads(1):
        status, _, err = run(capsys, "rerun", str(recipe), "--out", str(tmp_path / "b"))
    assert status == 0, err
    assert "the same again" in err
    recipe.write_text(recipe.read_text().replace('"threads": 2', '"threads": 100000'))
    status, out, err = run(capsys, "rerun", str(recipe), "--out", str(tmp_path / "c"))
    assert (status, out) == (2, "")
    assert "threads must be from 1 to 1,024; they are 100000" in err


def test_rerun_keeps_its_recipe_and_says_what_it_could_not_compare(capsys, tmp_path):
    attack(capsys, tmp_path / "a")
    path = tmp_path / "a" / "recipe.json"
    before = path.read_bytes()
    status, out, err = run(capsys, "rerun", str(path), "--out", str(tmp_path / "a"))
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "would overwrite" in err
    assert path.read_bytes() == before
    path.write_text(json.dumps(json.loads(before) | {"image_digest": "", "result_digest": ""}))
    status, _, err = run(capsys, "rerun", str(path), "--out", str(tmp_path / "b"))
    assert status == 0
    assert "no record of it: image, adversarial image\n" in err
    assert "the same again: weights, predictions (confidences within 0.1 percentage points)" in err
    older = dict.fromkeys(("original", "adversarial"))
    path.write_text(json.dumps(json.loads(before) | older))
    status, _, err = run(capsys, "rerun", str(path), "--out", str(tmp_path / "b"))
    assert status == 0
    assert "the same again: image, weights, adversarial image\n" in err
    assert "no record of it: predictions" in err


MODEL = """
import os
import torch
from explorer.classifiers import Classifier

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(3 * 8 * 8, 4)

    def forward(self, images):
        sharpness = 1 if torch.is_grad_enabled() else float(os.environ["SHARPNESS"])
        return sharpness * self.linear(images.flatten(1))

def make():
    return Classifier(Net(), labels=list("abcd"), input_size=(8, 8))
"""


def test_rerun_compares_what_the_classifier_says(capsys, tmp_path, monkeypatch):
    """The weights and the adversarial image can be the same where the network's code is not."""
    (tmp_path / "net.py").write_text(MODEL)
    monkeypatch.setenv("SHARPNESS", "1")
    model = ["--model", f"{tmp_path / 'net.py'}:make", "--device", "cpu", "--fgsm"]
    asked = ["attack", "gallery:cifar10-00", *model, "--epsilon", "8/255"]
    status, _, err = run(capsys, *asked, "--out", str(tmp_path / "a"))
    assert status == 0, err
    again = ["rerun", str(tmp_path / "a" / "recipe.json"), "--out", str(tmp_path / "b")]
    for sharpness, status in (("1", 0), ("1.0001", 0), ("2", 1)):
        monkeypatch.setenv("SHARPNESS", sharpness)
        ended, out, err = run(capsys, *again, "--json")
        assert ended == status, err
        assert adversarial_bytes(tmp_path / "a") == adversarial_bytes(tmp_path / "b")
        differences = json.loads(out)["differences"]
        assert len(differences) == 2 * status
        assert all(each.startswith("the prediction for the ") for each in differences)


def test_a_recipe_that_a_person_rewrote_gives_the_same_result(capsys, tmp_path):
    attack(capsys, tmp_path / "a", "--target", "ship")
    path = tmp_path / "a" / "recipe.json"
    recipe = json.loads(path.read_text())
    names = load("cifar10-standard").labels
    words = {
        "label": names[recipe["label"]],
        "target": "SHIP",
        "epsilon": "8/255",
        "restarts": None,
    }
    path.write_text(json.dumps(recipe | words))
    status, text, err = run(capsys, "rerun", str(path), "--out", str(tmp_path / "b"), "--json")
    assert (status, json.loads(text)["differences"]) == (0, []), err
    for name in ("shop", "-1"):
        path.write_text(json.dumps(recipe | {"target": name}))
        status, text, err = run(capsys, "rerun", str(path), "--out", str(tmp_path / "b"))
        assert (status, text, len(err.splitlines())) == (2, "", 1)
        assert f"no class '{name}'" in err


def test_the_recipes_command_line_does_the_same_attack(capsys, tmp_path):
    options = ["--target", "ship", "--restarts", "2", "--loss", "cw", "--seed", "3"]
    attack(capsys, tmp_path / "a", *options, "--step-size", "1/255")
    recipe = read_recipe((tmp_path / "a" / "recipe.json").read_text())[0]
    python, *arguments = shlex.split(recipe.command(str(tmp_path / "b")))
    assert (python, arguments[:2]) == ("python", ["-m", "explorer"])
    status, _, err = run(capsys, *arguments[2:])
    assert status == 0, err
    assert adversarial_bytes(tmp_path / "a") == adversarial_bytes(tmp_path / "b")


@pytest.mark.parametrize(
    ("effort", "steps", "in_recipe"),
    [((), QUICK_STEPS, ""), (("quick",), QUICK_STEPS, ""), (("thorough",), 40, "thorough")],
)
def test_an_effort_is_repeated_from_its_recipe(capsys, tmp_path, effort, steps, in_recipe):
    """Quick is the default."""
    option = ["--effort", *effort] if effort else []
    arguments = [*QUICK[:4], *QUICK[6:], *option, "--out", str(tmp_path)]
    status, _, err = run(capsys, "attack", "gallery:cifar10-00", *arguments)
    assert status == 0, err
    recipe, _ = read_recipe((tmp_path / "recipe.json").read_text())
    assert (recipe.steps, recipe.rule, recipe.effort) == (steps, "momentum", in_recipe)
    again = tmp_path / "again"
    status, _, err = run(capsys, "rerun", str(tmp_path / "recipe.json"), "--out", str(again))
    assert status == 0, err
    assert adversarial_bytes(again) == adversarial_bytes(tmp_path)
