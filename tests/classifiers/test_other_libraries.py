"""A bundled classifier goes as it is into other libraries, without an adapter."""

from __future__ import annotations

import copy

import foolbox
import pytest
import torch
from captum.attr import IntegratedGradients, Saliency
from torch.nn import functional as F

from explorer.classifiers import load

LINF, L2 = 4 / 255, 0.5


@pytest.fixture(scope="module")
def classifier():
    return load("cifar10-standard", device="cpu")


@pytest.fixture(scope="module")
def images(gallery_images):
    return gallery_images[0][:4]


@pytest.fixture(scope="module")
def labels(classifier, images):
    """What the classifier says of the images, so that an attack has something to change."""
    with torch.no_grad():
        return classifier(images).argmax(dim=1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("PGD", {"eps": LINF, "alpha": 1 / 255, "steps": 10}),
        ("PGDL2", {"eps": L2, "alpha": 0.1, "steps": 10}),
        ("APGD", {"norm": "Linf", "eps": LINF, "steps": 10}),
        ("APGD", {"norm": "L2", "eps": L2, "steps": 10}),
    ],
)
def test_torchattacks(classifier, images, labels, name, options):
    torchattacks = pytest.importorskip("torchattacks")
    adversarial = getattr(torchattacks, name)(classifier, **options)(images, labels)
    check_attack(classifier, images, labels, adversarial.detach(), options["eps"] == LINF)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_foolbox(classifier, images, labels, norm):
    attack = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
    model = foolbox.PyTorchModel(classifier, bounds=(0, 1))
    epsilon = LINF if norm == "linf" else L2
    run = attack(rel_stepsize=0.25, steps=10)
    _, adversarial, success = run(model, images, labels, epsilons=epsilon)
    check_attack(classifier, images, labels, adversarial, norm == "linf")
    assert bool(success.all())


def check_attack(classifier, images, labels, adversarial, linf):
    """It fools the classifier everywhere, within the threat model."""
    with torch.no_grad():
        assert bool((classifier(adversarial).argmax(dim=1) != labels).all())
    assert float(adversarial.min()) >= 0
    assert float(adversarial.max()) <= 1
    difference = (adversarial - images).flatten(1)
    distance = difference.abs().amax(dim=1) if linf else difference.norm(dim=1)
    assert float(distance.max()) <= (LINF if linf else L2) + 1e-5


def test_captum_saliency_is_the_size_of_the_gradient(classifier, images, labels):
    pixels = images.clone().requires_grad_(True)
    saliency = Saliency(classifier).attribute(pixels, target=labels)
    score = classifier(pixels).gather(1, labels[:, None]).sum()
    (gradient,) = torch.autograd.grad(score, pixels)
    torch.testing.assert_close(saliency, gradient.abs())


def test_captum_integrated_gradients_sum_to_the_change_of_the_logit(classifier, images, labels):
    black = torch.zeros_like(images)
    attributions = IntegratedGradients(classifier).attribute(
        images, black, target=labels, n_steps=200
    )
    with torch.no_grad():
        change = (classifier(images) - classifier(black)).gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(attributions.flatten(1).sum(dim=1).float(), change, rtol=0, atol=0.2)


def test_torch_export(classifier, images):
    batch = {0: torch.export.Dim("batch", min=2, max=64)}
    exported = torch.export.export(classifier, (images,), dynamic_shapes=(batch,)).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(images), classifier(images))
        torch.testing.assert_close(exported(images[:3]), classifier(images[:3]))


def test_a_deep_copy_has_its_own_weights(classifier, images):
    digest = classifier.digest
    other = copy.deepcopy(classifier)
    assert other.digest == digest
    with torch.no_grad():
        logits = classifier(images)
        assert torch.equal(other(images), logits)
        for parameter in other.parameters():
            parameter.zero_()
        assert torch.equal(classifier(images), logits)
        assert not other(images).any()
    assert other.digest != digest == classifier.digest


def test_another_dtype(classifier, images):
    double = copy.deepcopy(classifier).to(torch.float64)
    assert {value.dtype for value in double.parameters()} == {torch.float64}
    with torch.no_grad():
        logits = double(images.double())
        assert logits.dtype == torch.float32
        torch.testing.assert_close(logits, classifier(images), rtol=1e-4, atol=1e-4)
        assert torch.equal(double.to(torch.float32)(images), classifier(images))


def test_a_state_dict_is_loaded_back(classifier, images):
    state = classifier.state_dict()
    assert set(state) == {f"module.{name}" for name in classifier.module.state_dict()}
    other = load("cifar10-robust", device="cpu")
    other.load_state_dict(state)
    assert other.digest == classifier.digest
    with torch.no_grad():
        torch.testing.assert_close(other(images), classifier(images))


def test_it_trains_as_a_module_does(classifier, images, labels):
    student = copy.deepcopy(classifier).train().requires_grad_(True)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    F.cross_entropy(student(images), (labels + 1) % 10).backward()
    optimizer.step()
    assert student.training
    assert student.module.training
    assert student.digest != classifier.digest
