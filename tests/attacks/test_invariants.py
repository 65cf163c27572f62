"""What must hold of every attack on every model."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from explorer.attacks import PGD, Threat
from explorer.attacks.threat import flat_norm
from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.images.geometry import round_8bit
from tests.small_models import any_images, fgsm, labels_of, linear_classifier, smooth_classifier

NORMS = {"linf": 8 / 255, "l2": 0.4}


def run(norm="linf", epsilon=None, n=12, targets=None, call=None, **options):
    classifier, images = smooth_classifier(), any_images(n)
    labels = labels_of(classifier, images)
    attack = PGD(
        Threat(norm, NORMS[norm] if epsilon is None else epsilon), **{"steps": 10, **options}
    )
    return images, attack(classifier, images, labels, targets, **(call or {}))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("restarts", [1, 3])
@pytest.mark.parametrize("keep", ["best", "last"])
def test_result_lies_in_the_ball_and_in_the_box(norm, restarts, keep):
    images, result = run(norm, restarts=restarts, keep=keep, call={"frames": True})
    assert result.adversarial.min() >= 0
    assert result.adversarial.max() <= 1
    assert (flat_norm(result.adversarial - images, norm) <= NORMS[norm] + 1e-6).all()
    frames = result.trace.frames
    assert frames.shape == (11, 12, 3, 6, 6)
    assert ((frames >= 0) & (frames <= 1)).all()
    assert torch.allclose(
        flat_norm((frames - images).flatten(0, 1), norm), result.trace.distance.flatten(), atol=1e-6
    )


@pytest.mark.parametrize("norm", NORMS)
def test_epsilon_zero_is_the_identity(norm):
    images, result = run(norm, epsilon=0.0)
    assert torch.equal(result.adversarial, images)
    assert not result.success.any()


def test_one_epsilon_per_sample_is_each_samples_own_attack():
    classifier, images = smooth_classifier(), any_images(4)
    labels = labels_of(classifier, images)
    epsilons = torch.tensor([0.0, 0.01, 0.03, 0.1])
    together = PGD(Threat("linf", epsilons), steps=10, restarts=2)(classifier, images, labels)
    for i, epsilon in enumerate(epsilons.tolist()):
        alone = PGD(Threat("linf", epsilon), steps=10, restarts=2)(
            classifier, images[i : i + 1], labels[i : i + 1]
        )
        assert torch.allclose(alone.adversarial[0], together.adversarial[i], atol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_a_sample_does_not_depend_on_its_batch(norm):
    classifier, images = smooth_classifier(), any_images(9)
    labels = labels_of(classifier, images)
    attack = PGD(Threat(norm, NORMS[norm]), steps=10, restarts=2)
    whole = attack(classifier, images, labels)
    for i in range(9):
        single = attack(classifier, images[i : i + 1], labels[i : i + 1])
        # A sign may flip where a gradient is 0 to the last bit; the loss reached is the same.
        assert torch.allclose(single.trace.loss.amax(), whole.trace.loss[:, i].amax(), atol=1e-3)
        assert single.success[0] == whole.success[i]


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_start():
    first, again, other = (run(seed=s)[1] for s in (0, 0, 1))
    assert torch.equal(first.adversarial, again.adversarial)
    assert not torch.equal(first.trace.distance[0], other.trace.distance[0])


def test_model_images_and_random_state_stay_as_they_were():
    classifier, images = smooth_classifier(), any_images(4)
    labels = labels_of(classifier, images)
    module = classifier.module.train()
    module.body[1].eval()  # a mixed state, as in fine-tuning with frozen batch norm
    next(module.parameters()).grad = torch.ones_like(next(module.parameters()))
    modes = [part.training for part in module.modules()]
    state, pixels, random = (
        copy.deepcopy(module.state_dict()),
        images.clone(),
        torch.get_rng_state(),
    )
    wanted = [p.requires_grad for p in module.parameters()]
    PGD(Threat("linf", 0.03), steps=3, restarts=2)(classifier, images, labels)
    assert modes == [part.training for part in module.modules()]
    assert all(torch.equal(state[k], v) for k, v in module.state_dict().items())
    assert torch.equal(images, pixels)
    assert torch.equal(random, torch.get_rng_state())
    assert wanted == [p.requires_grad for p in module.parameters()]
    grads = [p.grad for p in module.parameters()]
    assert torch.equal(grads[0], torch.ones_like(grads[0]))
    assert all(grad is None for grad in grads[1:])


def test_a_model_in_training_mode_is_attacked_in_evaluation_mode():
    classifier, images = smooth_classifier(), any_images(6)
    labels = labels_of(classifier, images)
    attack = PGD(Threat("linf", 0.03), steps=5)
    calm = attack(classifier, images, labels)
    classifier.module.train()
    assert torch.equal(attack(classifier, images, labels).adversarial, calm.adversarial)


@pytest.mark.parametrize("norm", NORMS)
def test_more_steps_continue_the_same_path_and_never_lose(norm):
    results = [run(norm, epsilon=NORMS[norm] / 3, steps=steps, n=40)[1] for steps in (3, 10, 30)]
    for short, long in pairwise(results):
        assert torch.allclose(short.trace.loss, long.trace.loss[: len(short.trace.loss)], atol=1e-5)
        assert not (short.success & ~long.success).any()
    reached = [result.trace.loss.amax(dim=0).mean() for result in results]
    assert reached[0] < reached[2]
    assert reached[0] <= reached[1] <= reached[2]


def test_more_restarts_never_lose():
    one, five = (run(epsilon=0.01, restarts=r, n=40, steps=2)[1] for r in (1, 5))
    assert not (one.success & ~five.success).any()
    assert one.success.any()
    assert (five.trace.loss.amax(0) >= one.trace.loss.amax(0) - 1e-6)[
        one.success == five.success
    ].all()


def test_a_larger_epsilon_started_from_the_smaller_never_loses():
    classifier, images = smooth_classifier(), any_images(40)
    labels = labels_of(classifier, images)
    warm, fooled = None, torch.zeros(40, dtype=torch.bool)
    for epsilon in (0.005, 0.01, 0.02, 0.04):
        result = PGD(Threat("linf", epsilon), steps=3)(classifier, images, labels, initial=warm)
        assert not (fooled & ~result.success).any()
        warm, fooled = result.adversarial, result.success
    assert fooled.any()


def test_the_best_point_is_kept_and_the_last_one_tested():
    _, best = run(call={"frames": True}, n=40, epsilon=0.02)
    _, last = run(call={"frames": True}, n=40, epsilon=0.02, keep="last")
    assert len(best.trace.loss) == 11  # T steps, T + 1 points
    assert len(best.trace.gradient_norm) == 10
    for i, point in enumerate(best.trace.kept.tolist()):
        assert torch.equal(best.adversarial[i], best.trace.frames[point, i])
        trace_success, trace_loss = best.trace.success[:, i], best.trace.loss[:, i]
        allowed = trace_success if trace_success.any() else torch.ones_like(trace_success)
        assert trace_loss[point] == trace_loss[allowed].max()
    assert torch.equal(last.adversarial, last.trace.frames[-1])
    assert (last.trace.kept == 10).all()


def test_success_is_the_label_being_wrong_not_a_changed_prediction():
    classifier, images = smooth_classifier(), any_images(6)
    wrong = (labels_of(classifier, images) + 1) % 5
    untargeted = PGD(Threat("linf", 0.0), steps=1)(classifier, images, wrong)
    assert untargeted.success.all()  # wrong from the start, though nothing changed
    targeted = PGD(Threat("linf", 0.5), steps=20)(
        classifier, images, wrong, targets=(wrong + 1) % 5
    )
    assert torch.equal(
        targeted.success, labels_of(classifier, targeted.adversarial) == (wrong + 1) % 5
    )
    assert targeted.success.any()


def test_a_flat_model_has_zero_gradients_and_no_step():
    class Flat(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :3] * 0 + torch.tensor([1.0, 0.0, 0.0])

    classifier = Classifier(Flat(), labels=["a", "b", "c"], input_size=(6, 6))
    images = any_images(2)
    result = PGD(Threat("linf", 0.1), steps=3, random_start=False)(
        classifier, images, torch.tensor([0, 0])
    )
    assert not result.trace.gradient_norm.any()
    assert torch.equal(result.adversarial, images)


def test_reported_gradient_norm_is_that_of_the_loss():
    classifier, images = linear_classifier(classes=4), any_images(5)
    labels = labels_of(classifier, images)
    result = PGD(Threat("l2", 0.1), steps=1, random_start=False)(classifier, images, labels)
    pixels = images.clone().requires_grad_()
    loss = nn.functional.cross_entropy(classifier(pixels), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, pixels)
    assert torch.allclose(result.trace.gradient_norm[0], flat_norm(gradient, "l2"), rtol=1e-4)
    assert torch.allclose(result.trace.loss[0].sum(), loss, rtol=1e-5)


def test_whole_levels_of_epsilon_survive_eight_bits():
    """x = k/255 with ε = m/255: rounding can't leave the ball."""
    classifier = smooth_classifier()
    images = round_8bit(any_images(16))
    for attack in (fgsm(Threat("linf", 4 / 255)), PGD(Threat("linf", 4 / 255), steps=10)):
        adversarial = attack(classifier, images, labels_of(classifier, images)).adversarial
        assert ((round_8bit(adversarial) - images).abs().amax() * 255).round() <= 4


def test_progress_is_called_each_step_and_cancelling_takes_one():
    calls = []
    run(call={"on_step": lambda done, steps, loss: calls.append((done, steps))})
    assert calls == [(i + 1, 10) for i in range(10)]
    calls.clear()
    with pytest.raises(Cancelled):
        run(
            call={
                "on_step": lambda done, steps, loss: calls.append(done),
                "cancelled": lambda: len(calls) >= 3,
            }
        )
    assert calls == [1, 2, 3]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("restarts", [1, 4])
def test_stopping_at_success_changes_no_success(norm, restarts):
    """A sample that is not fooled takes the same path; a fooled one stays where it first was."""
    options = {"epsilon": NORMS[norm] / 4, "restarts": restarts, "n": 40, "call": {"frames": True}}
    _, whole = run(norm, **options)
    images, stopped = run(norm, stop_on_success=True, **options)
    assert torch.equal(whole.success, stopped.success)
    assert 0 < stopped.success.sum() < 40
    robust = ~stopped.success
    if restarts == 1:  # of several, another one may be kept by the last bit
        ours, theirs = stopped.trace.loss[:, robust], whole.trace.loss[:, robust]
        assert torch.allclose(ours, theirs, atol=1e-4)
    assert (flat_norm(stopped.adversarial - images, norm) <= NORMS[norm] / 4 + 1e-6).all()
    for i in stopped.success.nonzero().flatten().tolist():
        first = int(stopped.trace.success[:, i].int().argmax())
        assert stopped.trace.kept[i] == first
        assert (stopped.trace.frames[first:, i] == stopped.adversarial[i]).all()
        assert (stopped.trace.loss[first:, i] == stopped.trace.loss[first, i]).all()
        assert (
            stopped.trace.gradient_norm[first:, i] == stopped.trace.gradient_norm[first, i]
        ).all()


def test_samples_that_are_fooled_are_not_evaluated_again():
    classifier, images = smooth_classifier(), any_images(40)
    labels = labels_of(classifier, images)
    batches = []
    classifier.module.register_forward_pre_hook(lambda part, inputs: batches.append(len(inputs[0])))
    attack = PGD(
        Threat("linf", 0.02), steps=6, restarts=2, stop_on_success=True, precision="float32"
    )
    result = attack(classifier, images, labels)
    assert batches[0] == 80
    assert batches[-1] == 40  # the final decision
    assert batches[:-1] == sorted(batches[:-1], reverse=True)
    assert batches[-2] == 2 * int((~result.trace.success[-2]).sum())
    batches.clear()
    wrong = attack(classifier, images, (labels + 1) % 5)  # all fooled from the start
    assert wrong.success.all()
    assert batches == [80, 40]
    assert len(wrong.trace.loss) == 7
