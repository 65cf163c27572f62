"""Classifiers people bring: kept after they were built and asked once, refused in one sentence where that can't be."""

from __future__ import annotations

import json
import os

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v3_small, resnet18

from explorer.classifiers import ClassifierError, load
from explorer.classifiers.user_models import (
    UserModelCard,
    add_model,
    models_from_environment,
    parse_labels,
    remove_model,
    user_cards,
    user_entries,
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EXPLORER_MODELS", raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def small():
    """Three classes, in evaluation mode, with running statistics of its own."""
    torch.manual_seed(0)
    return mobilenet_v3_small(weights=None, num_classes=3).eval()


@pytest.fixture
def weights(tmp_path, small):
    path = tmp_path / "weights.safetensors"
    save_file(small.state_dict(), path)
    return path


CARD = UserModelCard(
    "mine",
    "mobilenet_v3_small",
    ("ant", "bee", "cat"),
    input_size=64,
    resize=72,
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
)


def test_what_is_kept_says_what_the_module_said(weights, small):
    add_model(CARD, weights)
    classifier = load("own:mine")
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(
        classifier(images), small((images - 0.5) / 0.25), rtol=1e-4, atol=1e-5
    )
    assert classifier.labels == ("ant", "bee", "cat")
    assert (classifier.input_size, classifier.resize) == ((64, 64), 72)
    (entry,) = user_entries()
    assert (entry.name, entry.available) == ("own:mine", True)


def test_pickled_state_dicts_work_too_and_labels_are_numbers_where_none_are_given(tmp_path, small):
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in small.state_dict().items()}},
        tmp_path / "w.pth",
    )
    card = add_model(
        UserModelCard("numbers", "mobilenet_v3_small", input_size=64, resize=64), tmp_path / "w.pth"
    )
    assert card.labels == ("class 0", "class 1", "class 2")


def test_a_thousand_classes_are_imagenets(tmp_path):
    torch.manual_seed(0)
    save_file(resnet18(weights=None).state_dict(), tmp_path / "w.safetensors")
    card = add_model(
        UserModelCard("thousand", "resnet18", input_size=64, resize=64), tmp_path / "w.safetensors"
    )
    assert card.labels[388] == "giant panda"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": ("ant", "bee")}, "tell 3 classes apart and 2 labels are given"),
        ({"architecture": "resnet18"}, "do not fit resnet18"),
        ({"architecture": "resnet"}, "torchvision has no classifier 'resnet'; did you mean"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_kept(weights, cache, change, words):
    with pytest.raises(ClassifierError, match=words):
        add_model(UserModelCard(**{**vars(CARD), **change}), weights)
    assert user_cards() == {}
    assert not list(cache.rglob("*.safetensors"))


def test_damaged_weights_are_refused(tmp_path, weights, small):
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ClassifierError, match="not a readable safetensors file"):
        add_model(CARD, weights)
    state = small.state_dict()
    state["features.0.0.weight"] = state["features.0.0.weight"] * float("nan")
    save_file(state, tmp_path / "nan.safetensors")
    with pytest.raises(ClassifierError, match="not finite"):
        add_model(CARD, tmp_path / "nan.safetensors")


def test_what_would_run_code_is_not_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(ClassifierError, match="could run code, so it was not read"):
        add_model(CARD, tmp_path / "trap.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "x" * 61, "a/b"])
def test_a_name_is_a_name(name):
    with pytest.raises(ClassifierError, match="is not a name"):
        UserModelCard(name, "resnet18")


@pytest.mark.parametrize(
    ("sizes", "words"), [((8, 64), "from 16 to 1024"), ((64, 32), "must not be less")]
)
def test_sizes_that_cannot_be(sizes, words):
    with pytest.raises(ClassifierError, match=words):
        UserModelCard("a", "resnet18", input_size=sizes[0], resize=sizes[1])


def test_a_name_is_taken_once_and_free_again_after_removing(weights):
    add_model(CARD, weights)
    with pytest.raises(ClassifierError, match="already a classifier named mine"):
        add_model(CARD, weights)
    remove_model("mine")
    add_model(CARD, weights)
    remove_model("mine")
    with pytest.raises(ClassifierError, match="no classifier own:mine"):
        remove_model("mine")
    with pytest.raises(
        ClassifierError, match="no classifier own:mine on this machine; kept are none"
    ):
        load("own:mine")


def test_a_broken_card_does_not_hide_the_others(weights, cache):
    add_model(CARD, weights)
    (cache / "classifiers" / "broken").mkdir()
    (cache / "classifiers" / "broken" / "classifier.json").write_text("{")
    assert list(user_cards()) == ["mine"]


def test_a_folder_that_cannot_be_written(weights, cache):
    cache.write_text("a file")
    with pytest.raises(
        ClassifierError,
        match=r"can't keep the classifier in .* EXPLORER_CACHE names another folder",
    ):
        add_model(CARD, weights)


def test_functions_from_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "models.py"
    path.write_text(
        "import torch\nfrom explorer.classifiers import Classifier\n"
        "def make():\n"
        "    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))\n"
        "    return Classifier(net, labels=['a', 'b'], input_size=(8, 8))\n"
    )
    monkeypatch.setenv("EXPLORER_MODELS", f"{path}:make, /nowhere/at_all.py:make")
    assert models_from_environment() == (f"{path}:make", "/nowhere/at_all.py:make")
    assert [entry.name for entry in user_entries()] == [f"{path}:make"]
    assert load(f"{path}:make").labels == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "cat\n\n dog \n",
        '["cat", "dog"]',
        '{"0": "cat", "1": "dog"}',
        '{"1": ["n2", "dog"], "0": ["n1", "cat"]}',
    ],
)
def test_labels_in_the_forms_people_have_them(text):
    assert parse_labels(text) == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least two"),
        ("cat", "at least two"),
        ('{"0": "cat", "2": "dog"}', "0 to 1, each once"),
        ('{"cat": 0}', "map an index"),
        ("[1, 2]", "list of names"),
        ("17", "list of names"),
        (json.dumps([["a"], ["b"]]), "list of names"),
    ],
)
def test_labels_that_are_none(text, words):
    with pytest.raises(ClassifierError, match=words):
        parse_labels(text)
