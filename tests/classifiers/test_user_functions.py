"""Modules from a person's function: they keep their memory format and their dtype."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from explorer.attacks import PGD, Threat
from explorer.classifiers import ClassifierError, load

MODELS = '''
import torch
from torch import nn

from explorer.classifiers import Classifier


class Flattens(nn.Module):
    """LeNet and VGG end their convolutions with view(), which a channels-last tensor refuses."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU()
        )
        self.classifier = nn.Sequential(nn.Linear(16 * 2 * 2, 20), nn.Tanh(), nn.Linear(20, 3))

    def forward(self, x):
        x = self.convolutions(x)
        return self.classifier(x.view(x.size(0), -1))


def make(dtype=torch.float32):
    torch.manual_seed(0)
    labels, mean, std = ["a", "b", "c"], (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    return Classifier(
        Flattens().to(dtype), labels=labels, input_size=(16, 16), mean=mean, std=std
    )


def double():
    return make(torch.float64)


def bfloat16():
    return make(torch.bfloat16)


def channels_last():
    classifier = make()
    classifier.module = nn.Sequential(
        classifier.module.convolutions, nn.Flatten(), classifier.module.classifier
    ).to(memory_format=torch.channels_last)
    return classifier
'''
DTYPES = {
    "make": torch.float32,
    "double": torch.float64,
    "bfloat16": torch.bfloat16,
    "channels_last": torch.float32,
}


@pytest.fixture(params=DTYPES)
def function(request, tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    return request.param, load(f"{tmp_path / 'models.py'}:{request.param}", device="cpu")


@pytest.fixture
def images():
    return torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_the_module_keeps_its_dtype_and_memory_format(function):
    name, classifier = function
    assert {weight.dtype for weight in classifier.parameters()} == {DTYPES[name]}
    kernels = [weight for weight in classifier.parameters() if weight.dim() == 4]
    last = [weight.is_contiguous(memory_format=torch.channels_last) for weight in kernels]
    assert all(last) if name == "channels_last" else not any(last)


def test_it_comes_frozen_and_in_evaluation_mode(function):
    _, classifier = function
    assert not classifier.training
    assert not classifier.module.training
    assert not any(weight.requires_grad for weight in classifier.parameters())


def test_logits_and_features(function, images):
    name, classifier = function
    with torch.no_grad():
        logits, features = classifier(images), classifier.features(images)
        assert (logits.dtype, logits.shape) == (torch.float32, (5, 3))
        assert (features.dtype, features.shape) == (torch.float32, (5, 20))
        head = classifier.head()
        assert isinstance(head, nn.Linear)
        torch.testing.assert_close(head(features.to(DTYPES[name])).float(), logits)


@pytest.mark.parametrize("precision", ["auto", "float32", "folded"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_an_attack(function, images, norm, precision):
    name, classifier = function
    digest = classifier.digest
    with torch.no_grad():
        clean = classifier(images)
    labels = clean.argmax(dim=1)
    epsilon = 0.1 if norm == "linf" else 1.0
    result = PGD(Threat(norm, epsilon), steps=5, precision=precision)(classifier, images, labels)
    rounding = 1e-2 if name == "bfloat16" else 1e-5
    logits = classifier(result.adversarial)
    torch.testing.assert_close(result.logits, logits, rtol=rounding, atol=rounding)
    assert float(F.cross_entropy(logits, labels)) > float(F.cross_entropy(clean, labels))
    assert classifier.digest == digest


def test_a_module_that_fails_on_its_input_size_is_one_sentence(tmp_path):
    (tmp_path / "models.py").write_text(MODELS.replace("(16, 16)", "(20, 24)"))
    words = r"models\.py:make failed on an image of 20 × 24 pixels: RuntimeError: .*shape"
    with pytest.raises(ClassifierError, match=words) as error:
        load(f"{tmp_path / 'models.py'}:make", device="cpu")
    assert "\n" not in str(error.value)


def test_trying_a_module_out_draws_no_random_numbers(tmp_path):
    forward = "    def forward(self, x):\n        torch.rand(1)\n"
    source = MODELS.replace("    def forward(self, x):\n", forward)
    (tmp_path / "models.py").write_text(source)
    torch.manual_seed(0)
    load(f"{tmp_path / 'models.py'}:make", device="cpu")
    loaded = torch.rand(1)
    (tmp_path / "models.py").write_text(MODELS)
    load(f"{tmp_path / 'models.py'}:make", device="cpu")
    assert torch.equal(torch.rand(1), loaded)


def test_want_of_memory_is_not_the_persons_mistake(tmp_path):
    (tmp_path / "models.py").write_text("def make():\n    raise MemoryError\n")
    with pytest.raises(MemoryError):
        load(f"{tmp_path / 'models.py'}:make", device="cpu")


def test_a_file_that_exits_is_one_sentence(tmp_path):
    (tmp_path / "models.py").write_text("import sys\nsys.exit('no GPU')\n")
    with pytest.raises(ClassifierError, match=r"make failed: SystemExit: no GPU$"):
        load(f"{tmp_path / 'models.py'}:make", device="cpu")


def test_two_files_of_one_stem_are_two_modules(tmp_path):
    modules = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "models.py").write_text(MODELS)
        classifier = load(f"{tmp_path / folder / 'models.py'}:make", device="cpu")
        modules.add(type(classifier.module).__module__)
    assert len(modules) == 2


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "models.py").write_text(MODELS)

    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(ClassifierError, match="can't be read: file name too long"):
        load(f"{'x' * 300}.py:make", device="cpu")
    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(ClassifierError, match=r"models\.py can't be read: permission denied"):
        load(f"{tmp_path / 'models.py'}:make", device="cpu")


def test_the_name_may_say_that_the_outputs_are_probabilities(tmp_path):
    path = tmp_path / "models.py"
    path.write_text(
        MODELS
        + """

def softmaxed():
    classifier = make()
    classifier.module = nn.Sequential(classifier.module, nn.Softmax(dim=1))
    return classifier
"""
    )
    images = torch.rand(2, 3, 16, 16)
    noticed, logs, plain = (
        load(f"{path}:{name}", device="cpu")
        for name in ("softmaxed", "softmaxed:probabilities", "make")
    )
    (note,) = noticed.notes
    assert "returns probabilities" in note
    assert "add :probabilities to its name" in note
    assert logs.notes == ()
    assert logs.name == f"{path}:softmaxed:probabilities"
    assert torch.allclose(logs(images).softmax(1), plain(images).softmax(1), atol=1e-5)
    with pytest.raises(ClassifierError, match="does not return probabilities"):
        load(f"{path}:make:probabilities", device="cpu")
    with pytest.raises(ClassifierError, match="only :probabilities may follow"):
        load(f"{path}:make:logs", device="cpu")


def test_a_function_that_is_missing_is_named_with_those_that_are_there(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import os\nfrom os.path import join\n\ndef make():\n    pass\n")
    with pytest.raises(ClassifierError, match=r"no function 'missing' in mine.py; it has make$"):
        load(f"{path}:missing", device="cpu")
    path.write_text("make = 3\n")
    with pytest.raises(ClassifierError, match=r"no function 'make' in mine.py; it has none$"):
        load(f"{path}:make", device="cpu")
