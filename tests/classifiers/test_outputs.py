"""What networks return: tensors in dictionaries, tuples and objects, and probabilities."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier, ClassifierError
from explorer.classifiers.outputs import are_probabilities, log_probabilities
from explorer.classifiers.trial import output_note, trial_run
from explorer.engine import gradient_model
from explorer.experiments.one_image.attack_image import predict

LABELS = ["a", "b", "c"]


class ModelOutput(OrderedDict):
    """As in transformers: a dictionary whose values are attributes too."""

    __getattr__ = OrderedDict.__getitem__


@dataclass
class Result:
    embedding: torch.Tensor
    scores: torch.Tensor


class Slots:
    __slots__ = ()


Named = namedtuple("Named", ["logits", "aux"])


class Returning(nn.Module):
    """A convolutional network, like SqueezeNet, whose logits go through ``wrap``."""

    def __init__(self, wrap):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 3, 1),
            nn.AdaptiveAvgPool2d(1),
        )
        self.wrap = wrap

    def forward(self, images):
        return self.wrap(self.body(images).flatten(1))


def classifier(wrap, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Returning(wrap).eval()
    with torch.no_grad():
        module.body[4].weight.mul_(40)
    return Classifier(module, labels=LABELS, input_size=(16, 16), mean=(0.5,) * 3, **options)


@pytest.fixture
def images():
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def plain(logits):
    return logits


CLEAR = {
    "logits in a dictionary": lambda z: {"scores": -z, "logits": z},
    "the only fitting value": lambda z: {"features": z[:, :2], "prediction": z},
    "transformers": lambda z: ModelOutput(loss=z.sum(), logits=z, hidden=z + 1),
    "auxiliary logits after them": lambda z: (z, -z),
    "with features": lambda z: (z.repeat(1, 3), z),
    "a list of one": lambda z: [z],
    "a named tuple": lambda z: Named(z, -z),
    "a dataclass": lambda z: Result(z[:, :1], z),
    "axes of length 1": lambda z: z[:, :, None, None],
    "a loss that is None": lambda z: (None, z),
}


@pytest.mark.parametrize("wrap", CLEAR.values(), ids=CLEAR)
def test_the_logits_are_taken_where_they_are_clear(wrap, images):
    expected, model = classifier(plain), classifier(wrap)
    labels = expected(images).argmax(dim=1)
    assert torch.equal(model(images), expected(images))
    assert torch.equal(model.features(images), expected.features(images))
    attack = PGD(Threat("linf", 0.1), steps=5)
    one, other = (attack(each, images, labels) for each in (expected, model))
    assert torch.equal(one.success, other.success)
    torch.testing.assert_close(one.logits, other.logits, rtol=1e-2, atol=1e-2)


UNCLEAR = {
    "two lists": (
        lambda z: [z, -z],
        "list with 0 [4, 3], 1 [4, 3] for 4 images, and each of 0, 1 could be the logits; return "
        "those alone, or name them 'logits'",
    ),
    "two values": (lambda z: {"a": z, "b": z}, "each of a, b could be the logits"),
    "none": (
        lambda z: {"features": z[:, :2], "loss": None},
        r"returned dict with features [4, 2], loss NoneType for 4 images; its 3 labels need [4, 3]",
    ),
    "a map of logits": (lambda z: z[:, :, None].repeat(1, 1, 2), "returned [4, 3, 2] for 4"),
    "an object with nothing": (lambda z: Slots(), "returned Slots for 4 images"),
    "a text": (lambda z: "logits", "returned str for 4 images"),
    "one for all images": (lambda z: {"logits": z[:1]}, "dict with logits [1, 3] for 4 images"),
}


@pytest.mark.parametrize(("wrap", "words"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_not_clear_is_listed_in_one_sentence(wrap, words, images):
    with pytest.raises(ClassifierError) as error:
        classifier(wrap)(images)
    assert words in str(error.value)


def softmax(logits):
    return logits.softmax(dim=1)


@pytest.mark.parametrize(
    ("wrap", "noticed"),
    [
        (softmax, True),
        (lambda z: {"probabilities": softmax(z)}, True),
        (plain, False),
        (lambda z: z.log_softmax(dim=1), False),
        (lambda z: softmax(z) * 2, False),
    ],
)
def test_probabilities_are_noticed_and_nothing_else(wrap, noticed):
    note = output_note(classifier(wrap))
    assert (note is not None) == noticed
    if note is not None:
        assert note.startswith("custom returns probabilities, so every confidence shown is wrong")
        assert 'outputs="probabilities"' in note
        assert output_note(classifier(wrap, outputs="probabilities")) is None


def test_a_sigmoid_is_noticed_and_an_untrained_network_is_not():
    note = output_note(classifier(torch.sigmoid))
    assert note.startswith("custom returns numbers between 0 and 1 that do not add up to 1")
    assert note.endswith("return the values before the sigmoid")
    assert output_note(classifier(lambda z: 0.1 * torch.sigmoid(z))) is None
    assert output_note(classifier(torch.relu)) is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_probabilities_are_noticed_in_every_type(dtype):
    model = classifier(softmax)
    model.module.to(dtype)
    assert output_note(model) is not None
    assert output_note(Classifier(classifier(plain).module.to(dtype), **OPTIONS)) is None


OPTIONS = {"labels": LABELS, "input_size": (16, 16)}


@pytest.mark.parametrize("precision", ["float32", "folded", "auto"])
def test_logarithms_of_probabilities_are_as_good_as_logits(images, precision):
    expected, model = classifier(plain), classifier(softmax, outputs="probabilities")
    for one, other in zip(predict(expected, images), predict(model, images), strict=True):
        torch.testing.assert_close(one.probabilities, other.probabilities)
    gradients = []
    for each in (expected, model):
        surrogate, _ = gradient_model(each, precision)
        logits, vjp = surrogate.logits_vjp(images)
        gradients.append(vjp(logits.softmax(dim=1) - F.one_hot(torch.tensor([0, 1, 2, 0]), 3)))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-6)


def test_without_the_switch_the_confidence_would_be_wrong(images):
    right, wrong = predict(classifier(plain), images)[0], predict(classifier(softmax), images)[0]
    assert wrong.index == right.index
    assert wrong.confidence < right.confidence - 0.05


def test_an_attack_on_probabilities_is_that_on_logits(images):
    expected, model = classifier(plain), classifier(softmax, outputs="probabilities")
    labels = expected(images).argmax(dim=1)
    attack = PGD(Threat("linf", 0.05), steps=10, precision="float32")
    one, other = attack(expected, images, labels), attack(model, images, labels)
    assert torch.equal(one.success, other.success)
    torch.testing.assert_close(
        one.logits.softmax(dim=1), other.logits.softmax(dim=1), rtol=1e-3, atol=1e-4
    )


def test_the_logarithm_of_0_is_finite_and_has_no_gradient():
    probabilities = torch.tensor([[1.0, 0.0]], requires_grad=True)
    logs = log_probabilities(probabilities)
    assert logs.tolist() == [[0.0, pytest.approx(-87.34, abs=0.01)]]
    logs.sum().backward()
    assert probabilities.grad is not None
    assert probabilities.grad.tolist() == [[1.0, 0.0]]


def test_logits_that_were_called_probabilities_are_refused():
    with pytest.raises(
        ClassifierError, match='does not return probabilities; leave "probabilities" out'
    ):
        trial_run(classifier(plain, outputs="probabilities"))


def test_rows_must_sum_to_one():
    assert are_probabilities(torch.tensor([[0.25, 0.75], [1.0, 0.0]]))
    assert not are_probabilities(torch.tensor([[0.25, 0.75], [0.5, 0.4]]))
    assert not are_probabilities(torch.tensor([[1.5, -0.5]]))
    assert not are_probabilities(torch.full((1, 2), float("nan")))
