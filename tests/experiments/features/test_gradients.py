"""Input gradients against closed forms and autograd; SmoothGrad's noise; the scale of a map."""

from __future__ import annotations

import pytest
import torch

from explorer.classifiers import Classifier, load
from explorer.errors import Cancelled
from explorer.experiments.features.asked import FeatureError
from explorer.experiments.features.gradients import (
    GradientSettings,
    channel_sum,
    gradients,
    input_gradients,
    neighbour_correlation,
    noisy_copies,
    scale_of,
)
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from tests.experiments.features.pictures import small_picture
from tests.small_models import SIDE, any_images, linear_classifier, smooth_classifier

PLAIN = GradientSettings(copies=0)


def weight_of(model: Classifier) -> torch.Tensor:
    weight: torch.Tensor = model.module.layer.weight.detach()  # type: ignore[union-attr]
    return weight.view(-1, 3, SIDE, SIDE)


def test_the_gradient_of_a_linear_classifiers_logit_is_its_weights() -> None:
    model = linear_classifier(classes=4)
    for label in range(4):
        gradient = input_gradients(model, any_images(3), label)
        assert torch.allclose(gradient, weight_of(model)[label].expand(3, -1, -1, -1), atol=1e-6)


def test_the_gradient_of_its_loss_is_the_expected_weight_minus_that_of_the_class() -> None:
    model, images = linear_classifier(classes=4, scale=0.2), any_images(2)
    weights = weight_of(model)
    probabilities = model(images).softmax(dim=1).detach()
    expected = torch.einsum("nc,cijk->nijk", probabilities, weights) - weights[1]
    assert torch.allclose(input_gradients(model, images, 1, "loss"), expected, atol=1e-5)


@pytest.mark.parametrize("of", ["logit", "loss"])
def test_it_is_autograds_and_the_classifier_stays_as_it_was(of: str) -> None:
    model, images = smooth_classifier(), any_images(9)
    model.train()
    result = input_gradients(model, images, 2, of)
    assert model.training
    model.eval()
    leaf = images.clone().requires_grad_(True)
    classes = torch.full((len(images),), 2)
    if of == "logit":
        value = model(leaf)[:, 2].sum()
    else:
        value = torch.nn.functional.cross_entropy(model(leaf), classes, reduction="sum")
    (expected,) = torch.autograd.grad(value, leaf)
    assert torch.allclose(result, expected, atol=1e-6)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_smoothgrad_is_the_mean_over_its_noisy_copies_whatever_their_batches() -> None:
    model, settings = smooth_classifier(), GradientSettings(copies=11, seed=4)
    (answer, _) = gradients({"a": model, "b": model}, small_picture(), settings)
    image = preprocess(small_picture(), model)
    copies = noisy_copies(image, settings, range(11))
    expected = input_gradients(model, copies, answer.label).double().mean(0).float()
    assert answer.smooth is not None
    assert torch.allclose(answer.smooth, expected, atol=1e-6)
    assert torch.equal(copies[3:5], noisy_copies(image, settings, range(3, 5)))
    other = noisy_copies(image, GradientSettings(copies=11, seed=5), range(11))
    assert not torch.equal(copies, other)


def test_the_noise_has_the_asked_share_of_the_range_as_its_deviation() -> None:
    image = torch.zeros(3, 64, 64)
    image[0, 0, 0] = 0.5
    copies = noisy_copies(image, GradientSettings(spread=0.2), range(20))
    assert float((copies - image).std()) == pytest.approx(0.1, rel=0.01)


def test_smoothgrad_of_a_linear_classifier_is_the_gradient_itself() -> None:
    model = linear_classifier(classes=3)
    for each in gradients({"a": model, "b": model}, small_picture(), GradientSettings(copies=9)):
        assert each.smooth is not None
        assert torch.allclose(each.smooth, each.plain, atol=1e-6)


def test_the_same_settings_give_the_same_bits_and_leave_the_random_state_alone() -> None:
    models = {"a": smooth_classifier(), "b": smooth_classifier(seed=1)}
    state = torch.random.get_rng_state()
    one, other = (gradients(models, small_picture(), GradientSettings()) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), state)
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.plain, b.plain)
        assert a.smooth is not None
        assert b.smooth is not None
        assert torch.equal(a.smooth, b.smooth)


def test_without_a_class_each_takes_its_prediction_and_a_missing_class_is_said() -> None:
    first, second = linear_classifier(seed=1), linear_classifier(seed=2)
    second.labels = ("class 0", "something else")
    for each, model in zip(
        gradients({"a": first, "b": second}, small_picture(), PLAIN), (first, second), strict=True
    ):
        assert each.label == int(model(each.image[None]).argmax())
        assert each.notes == ()
    asked = GradientSettings(copies=0, label=1)
    one, other = gradients({"a": first, "b": second}, small_picture(), asked)
    assert (one.label, one.notes) == (1, ())
    assert other.label == other.prediction.index
    (note,) = other.notes
    assert note.code == "class"
    assert "no class “class 1”" in note.text


def test_a_gradient_that_is_zero_everywhere_is_said() -> None:
    class Rounded(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return (10 * inner(images)).round()

    model = linear_classifier()
    inner = model.module
    model.module = Rounded()
    plain, rounded = gradients({"a": linear_classifier(), "b": model}, small_picture(), PLAIN)
    assert plain.notes == ()
    assert [note.code for note in rounded.notes] == ["zero-gradient"]


def test_the_plain_gradient_is_captums_saliency_with_its_sign() -> None:
    from captum.attr import Saliency

    model = load("cifar10-robust")
    image = preprocess(samples("cifar10")[3].read(), model)[None]
    expected = Saliency(model).attribute(image.requires_grad_(True), target=2, abs=False)
    result = input_gradients(model, image.detach(), 2)
    assert torch.allclose(result, expected, rtol=1e-3, atol=1e-6)


def test_progress_counts_batches_and_the_work_stops_when_asked() -> None:
    models = {"a": smooth_classifier(), "b": smooth_classifier()}
    steps: list[tuple[int, int]] = []
    gradients(
        models,
        small_picture(),
        GradientSettings(copies=17),
        on_step=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(done, 8) for done in range(1, 9)]
    calls = iter(range(100))
    with pytest.raises(Cancelled):
        gradients(models, small_picture(), GradientSettings(), cancelled=lambda: next(calls) >= 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"copies": -1}, "at most 500"),
        ({"copies": 501}, "at most 500"),
        ({"spread": 0.0}, "above 0 and at most 1"),
        ({"spread": float("nan")}, "above 0 and at most 1"),
        ({"of": "margin"}, "of a logit or of the loss"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict, message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        GradientSettings(**values)


def test_a_class_that_the_first_lacks_is_refused() -> None:
    model = linear_classifier()
    with pytest.raises(FeatureError, match="classes 0 to 1; 2 is none"):
        gradients({"a": model, "b": model}, small_picture(), GradientSettings(label=2))


def test_a_scale_is_a_percentile_and_never_zero_for_a_map_that_is_not() -> None:
    values = torch.arange(-100, 101).float()
    assert scale_of(values) == pytest.approx(99, abs=1)
    assert scale_of(3 * values) == pytest.approx(3 * scale_of(values))
    lonely = torch.zeros(1000)
    lonely[7] = -2
    assert scale_of(lonely) == 2
    assert scale_of(torch.zeros(5)) == 0


def test_the_correlation_of_neighbours_is_that_of_known_pictures() -> None:
    noise = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert neighbour_correlation(noise) == pytest.approx(0, abs=0.03)
    board = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).float().expand(3, -1, -1)
    assert neighbour_correlation(board) == pytest.approx(-1)
    smooth = torch.nn.functional.avg_pool2d(noise[None], 9, stride=1)[0]
    assert neighbour_correlation(smooth) > 0.8
    assert neighbour_correlation(torch.full((3, 4, 4), 0.7)) == 0
    assert neighbour_correlation(5 * noise + 1) == pytest.approx(neighbour_correlation(noise))


def test_the_channels_are_added() -> None:
    assert torch.equal(channel_sum(torch.ones(3, 2, 2)), torch.full((2, 2), 3.0))


def test_noise_that_changes_what_the_classifier_says_is_named():
    """A picture that is as bright as it must be, and noise that is far larger than the margin."""
    classifier, picture = load("cifar10-standard"), samples("cifar10")[0].read()
    much = GradientSettings(copies=16, spread=0.9)
    (answer,) = gradients({"cifar10-standard": classifier}, picture, much)
    assert [note.code for note in answer.notes] == ["noise"]
    assert "of the 16 noisy copies" in answer.notes[0].text
    little = GradientSettings(copies=16, spread=0.001)
    (answer,) = gradients({"cifar10-standard": classifier}, picture, little)
    assert answer.notes == ()
