"""``models``: the catalogue, and weights that are downloaded."""

from __future__ import annotations

import json

from explorer.classifiers import downloads
from explorer.fetch import Remote
from tests.cli.running import run


def test_models_lists_the_bundled_ones(capsys):
    status, out, _ = run(capsys, "models", "--json")
    assert status == 0
    names = [model["name"] for model in json.loads(out)["models"]]
    assert names[:4] == ["tiny12-standard", "tiny12-robust", "cifar10-standard", "cifar10-robust"]
    assert "torchvision:googlenet" in names
    status, out, _ = run(capsys, "models")
    assert "cifar10-robust" in out


def test_models_lists_the_published_ones_with_the_source_of_their_figures(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    (tmp_path / "swin_t.safetensors").write_bytes(b"")
    status, out, _ = run(capsys, "models", "--json")
    assert status == 0
    models = {model["name"]: model for model in json.loads(out)["models"]}
    assert [
        name for name, model in models.items() if model["group"] != "bundled" and model["available"]
    ] == ["efficientnet_lite0", "torchvision:swin_t"]
    robust = models["madry:resnet18_linf_eps4.0"]
    assert (robust["accuracy"], robust["robust"], robust["training"]) == (
        0.5249,
        True,
        "adversarial, L∞ ε = 4/255",
    )
    text, source = "AutoAttack, L∞ ε = 4/255", "RobustBench, Salman2020Do_R18"
    assert robust["robust_accuracy"] == [{"text": text, "value": 0.2532, "source": source}]
    assert robust["remote"].startswith("https://")
    status, out, _ = run(capsys, "models")
    line = next(line for line in out.splitlines() if line.startswith("madry:resnet18_linf_eps4.0"))
    assert "52.5 %" in line
    assert "25.3 % (AutoAttack, L∞ ε = 4/255)" in line
    assert f"not here yet; would be fetched to {tmp_path / 'resnet18_linf_eps4.0.ckpt'}" in line


def test_models_fetches_weights_that_are_missing(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    (tmp_path / "swin_t.safetensors").write_bytes(b"")
    status, out, _ = run(capsys, "models", "--fetch", "torchvision:swin_t", "--json")
    assert (status, json.loads(out)) == (
        0,
        {"name": "torchvision:swin_t", "where": str(tmp_path / "swin_t.safetensors")},
    )
    nowhere = Remote("https://nowhere.invalid/resnet18_l2_eps3.ckpt")
    monkeypatch.setattr(downloads, "remote_weights", lambda name: nowhere)
    for name, words in (
        ("madry:resnet18_l2_eps3", "nowhere.invalid can't be reached"),
        ("cifar10-robust", "there is nothing to fetch for 'cifar10-robust'"),
    ):
        status, out, err = run(capsys, "models", "--fetch", name)
        assert (status, out) == (2, "")
        assert words in err
        assert len(err.strip().splitlines()) == 1


def test_models_checks_architectures(capsys, monkeypatch):
    status, out, _ = run(capsys, "models", "--check", "squeezenet1_1", "cifar:resnet18")
    lines = [line.split() for line in out.splitlines()]
    assert status == 0
    assert [line[:2] for line in lines] == [["squeezenet1_1", "ok"], ["cifar:resnet18", "ok"]]
    status, out, error = run(capsys, "models", "--check", "squeezenet9")
    assert (status, out) == (2, "")
    assert "torchvision has no classifier 'squeezenet9'; did you mean" in error
    monkeypatch.setattr(
        "explorer.experiments.architecture_check._problem", lambda *_: "its logits are not finite"
    )
    status, out, _ = run(capsys, "models", "--check", "squeezenet1_1", "--json")
    assert status == 1
    assert json.loads(out)["checks"][0]["problem"] == "its logits are not finite"


def test_models_says_which_other_names_there_are(capsys):
    _, out, _ = run(capsys, "models")
    assert "timm:NAME, timm:hf-hub:ORG/NAME" in out
    assert "cifar:ARCHITECTURE" in out


def test_models_lists_the_classes_of_one(capsys):
    status, out, err = run(capsys, "models", "--classes", "cifar10-standard")
    assert status == 0, err
    assert out.splitlines()[0] == "0  airplane"
    assert len(out.splitlines()) == 10
    status, out, _ = run(capsys, "models", "--classes", "tiny12-standard", "--json")
    assert (status, json.loads(out)["name"]) == (0, "tiny12-standard")
    assert "hoofed mammal" in json.loads(out)["classes"]
    status, out, err = run(capsys, "models", "--classes", "cifar10-standrd")
    assert (status, out) == (2, "")
    assert "no classifier 'cifar10-standrd' (did you mean cifar10-standard or" in err
