"""The prepared copy: the same function, never trusted with the verdict."""

import copy

import pytest
import torch
from torch import nn

from explorer.attacks import PGD, engine
from explorer.attacks.engine import at_precision, fold_batch_norms, prepare, threads_for
from explorer.attacks.packed import PackedConv, pack
from explorer.classifiers import Classifier, load
from explorer.threats import Threat, flat_norm


def seeded(module):
    """Batch norms with statistics and scales of their own, some negative where ``module`` was made so."""
    generator = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.copy_(torch.randn(part.num_features, generator=generator))
            part.running_var.copy_(torch.rand(part.num_features, generator=generator) + 0.5)
            part.weight.data.copy_(torch.rand(part.num_features, generator=generator) + 0.5)
            part.bias.data.copy_(torch.randn(part.num_features, generator=generator))
    return module.eval()


def plain(between=nn.Identity):
    return seeded(nn.Sequential(nn.Conv2d(3, 4, 3), between(), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)))


def pooled():
    return plain(lambda: nn.MaxPool2d(2))


def same(module, n):
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    before = module(images)
    folded = copy.deepcopy(module)
    assert fold_batch_norms(folded) == n
    torch.testing.assert_close(folded(images), before)


def test_a_batch_norm_is_folded_and_the_function_stays():
    module = seeded(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)))
    same(module, 1)


def test_a_max_pool_may_stand_between():
    same(pooled(), 1)


def test_a_negative_scale_is_not_moved_past_a_max_pool():
    module = pooled()
    module[2].weight.data[0] = -1
    same(module, 0)


class Shared(nn.Module):
    """One convolution, used twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, images):
        return (self.norm(self.conv(images)) + self.conv(images)).mean(dim=(2, 3))


class Tapped(Shared):
    """The convolution's output is also used unnormalised."""

    def forward(self, images):
        seen = self.conv(images)
        return (self.norm(seen) + seen).mean(dim=(2, 3))


class Twisting(Shared):
    """Its path depends on the values, so that it can't be traced."""

    def forward(self, images):
        return self.norm(self.conv(images)).mean(dim=(2, 3)) * (2 if images.sum() > 0 else 1)


@pytest.mark.parametrize("kind", [Shared, Tapped, Twisting])
def test_what_can_not_be_folded_safely_is_left_alone(kind):
    same(seeded(kind()), 0)


def classifier_of(module):
    return Classifier(module, labels=["a", "b", "c"], input_size=(8, 8))


def test_the_original_is_left_as_it_was():
    module = pooled()
    module(torch.rand(2, 3, 8, 8))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    copied = prepare(classifier_of(module), torch.bfloat16)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert copied.module is not module
    assert not any(parameter.requires_grad for parameter in copied.module.parameters())


def test_the_copy_follows_the_weights():
    torch.manual_seed(0)  # of few weights, some random ones lose their way in bfloat16
    classifier, images = classifier_of(pooled()), torch.rand(2, 3, 8, 8)
    classifier(images)
    first, precision = at_precision(classifier, "bfloat16")
    assert precision == "bfloat16"
    assert at_precision(classifier, "bfloat16")[0] is first
    with torch.no_grad():
        classifier.module[-1].weight.mul_(-2)
    second, _ = at_precision(classifier, "bfloat16")
    assert second is not first
    torch.testing.assert_close(second(images), classifier(images), atol=0.1, rtol=0.1)


class OnlyFloat32(nn.Module):
    """Works in one type alone, as a user's module may."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, images):
        if images.dtype != torch.float32:
            raise TypeError("float32 only")
        return self.conv(images).mean(dim=(2, 3))


class Scrambled(OnlyFloat32):
    """Another function as soon as its input is not float32."""

    def forward(self, images):
        return self.conv(images).mean(dim=(2, 3)) * (1 if images.dtype == torch.float32 else -1)


@pytest.mark.parametrize("kind", [OnlyFloat32, Scrambled])
def test_a_module_that_a_copy_would_misrepresent_is_used_itself(kind):
    classifier = classifier_of(kind().eval())
    assert at_precision(classifier, "bfloat16") == (classifier, "float32")


def test_a_module_without_convolutions_climbs_in_float32():
    classifier = classifier_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    assert at_precision(classifier, "auto") == (classifier, "float32")


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 2 / 255), ("l2", 0.25)])
def test_success_is_what_the_classifier_says_in_float32(norm, epsilon):
    classifier = load("cifar10-standard")
    images = torch.rand(24, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    labels = classifier(images).argmax(dim=1)
    result = PGD(Threat(norm, epsilon / 4), steps=5, precision="bfloat16")(classifier, images, labels)
    said = classifier(result.adversarial)
    assert result.precision == "bfloat16"
    torch.testing.assert_close(result.logits, said)
    assert torch.equal(result.success, said.argmax(dim=1) != labels)
    assert torch.equal(result.trace.success_at_kept, result.success)
    assert (flat_norm(result.adversarial - images, norm) <= epsilon / 4 + 1e-6).all()


def test_a_success_that_only_the_copy_sees_is_attacked_again(monkeypatch):
    """A copy that lies: it calls everything fooled at the start, where the classifier does not."""
    classifier = load("cifar10-standard")
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    labels = classifier(images).argmax(dim=1)

    class Lying(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = classifier.module

        def forward(self, normalised):
            logits = self.inner(normalised)
            return logits - 100 * nn.functional.one_hot(labels[: len(logits)], 10)

    from explorer.attacks import pgd

    monkeypatch.setattr(
        pgd, "at_precision",
        lambda chosen, precision: (chosen, "float32") if precision == "float32" else (chosen.with_module(Lying()), "bfloat16"),
    )  # fmt: skip
    attack = PGD(Threat("linf", 4 / 255), steps=5, precision="bfloat16")
    expected = PGD(Threat("linf", 4 / 255), steps=5, precision="float32")(classifier, images, labels)
    result = attack(classifier, images, labels, frames=True)
    assert torch.equal(result.success, expected.success)
    assert result.success.any()
    kept = result.trace.frames[result.trace.kept, torch.arange(6)]
    assert torch.equal(kept, result.adversarial)


@pytest.mark.skipif(not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units")
def test_the_same_in_bfloat16_whatever_the_batch():
    classifier = load("cifar10-standard")
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    labels = classifier(images).argmax(dim=1)
    attack = PGD(Threat("l2", 0.2), steps=4, precision="bfloat16")
    together = attack(classifier, images, labels)
    alone = [attack(classifier, images[i : i + 1], labels[i : i + 1]) for i in range(5)]
    assert torch.equal(together.adversarial, torch.cat([each.adversarial for each in alone]))


def test_a_module_too_quick_to_be_timed_climbs_in_float32(monkeypatch):
    monkeypatch.setattr(engine, "_gain", lambda *_: 100.0)
    classifier = classifier_of(pooled())
    classifier(torch.rand(2, 3, 8, 8))
    assert at_precision(classifier, "auto")[1] == "float32"


@pytest.mark.skipif(not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units")
@pytest.mark.parametrize(("gain", "expected"), [(100.0, "bfloat16"), (1.0, "float32")])
def test_what_is_measured_decides_for_a_real_network(monkeypatch, gain, expected):
    monkeypatch.setattr(engine, "_gain", lambda *_: gain)
    assert at_precision(load("cifar10-standard"), "auto")[1] == expected


@pytest.mark.parametrize(("shape", "copies", "expected"), [((1, 3, 32, 32), 1, 1), ((1, 3, 64, 64), 2, 2), ((1, 3, 224, 224), 1, 2)])
def test_small_batches_climb_on_one_thread_and_the_number_is_put_back(shape, copies, expected):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads_for(torch.zeros(shape), copies):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


needs_bfloat16 = pytest.mark.skipif(not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units")


def bfloat16(tensor):
    return tensor.to(torch.bfloat16, memory_format=torch.channels_last)


@needs_bfloat16
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    ("options", "side"),
    [
        ({"kernel_size": 3, "padding": 1}, (9, 9)),
        ({"kernel_size": (1, 5), "padding": (0, 2)}, (9, 7)),
        ({"kernel_size": 2, "padding": 3}, (9, 9)),  # more padding than a kernel reaches
        ({"kernel_size": 7, "padding": 3, "stride": 2}, (16, 15)),
        ({"kernel_size": 3, "stride": 2}, (10, 12)),  # the last row and column are in no window
        ({"kernel_size": 4, "stride": 4, "padding": 1}, (17, 13)),
        ({"kernel_size": 1, "stride": 2}, (9, 9)),
        ({"kernel_size": 3, "groups": 3, "padding": 1}, (9, 9)),
        ({"kernel_size": 3, "dilation": 2}, (9, 9)),
        ({"kernel_size": 3, "stride": (2, 1), "bias": False}, (9, 9)),
    ],
)
def test_a_packed_convolution_is_the_convolution(relu, options, side):
    torch.manual_seed(0)
    conv = bfloat16(nn.Conv2d(3, 6, **options).requires_grad_(False))
    images = bfloat16(torch.randn(2, 3, *side))
    packed = PackedConv(conv, torch.Size((1, 3, *side)), relu)
    other = bfloat16(torch.randn(1, 3, side[0] + 2, side[1]))
    assert torch.equal(packed(other), conv(other).relu() if relu else conv(other))  # a size it was not packed for
    outcomes = []
    for part in (nn.Sequential(conv, nn.ReLU()) if relu else conv, packed):
        point = images.clone().requires_grad_(True)
        out = part(point)
        towards = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(out)
        outcomes.append((out, *torch.autograd.grad(out, point, towards)))
    (out, gradient), (packed_out, packed_gradient) = outcomes
    assert torch.equal(packed_out, out)
    assert packed_gradient.shape == images.shape
    torch.testing.assert_close(packed_gradient.float(), gradient.float(), atol=0.03, rtol=0.02)  # a bfloat16 has 8 bits


class Fire(nn.Module):
    """A ReLU of each kind, behind a convolution; one convolution whose output is also used without it; one used twice."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1)
        self.twice, self.relu, self.head = nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True), nn.Linear(4, 3)

    def forward(self, images):
        seen = nn.functional.relu(self.one(images), inplace=True)
        seen = self.relu(self.two(seen))
        bare = self.three(seen)
        seen = bare + nn.functional.relu(bare)
        return self.head(self.twice(self.twice(seen)).mean(dim=(2, 3)))


@needs_bfloat16
def test_a_packed_network_is_the_network():
    torch.manual_seed(0)
    module = bfloat16(Fire().eval().requires_grad_(False))
    images = bfloat16(torch.rand(2, 3, 8, 8))
    expected = module(images)
    packed = pack(copy.deepcopy(module), images)
    assert torch.equal(packed(images), expected)
    parts = dict(packed.named_modules())
    assert {name: part.relu for name, part in parts.items() if isinstance(part, PackedConv)} == {"one": True, "two": True, "three": False}
    assert isinstance(parts["twice"], nn.Conv2d)


class WithFeatures(nn.Module):
    """Its features end before the ReLU."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 3, 3), nn.ReLU()

    def features(self, images):
        return self.conv(images).mean(dim=(2, 3))

    def forward(self, images):
        return self.relu(self.conv(images)).mean(dim=(2, 3))


@needs_bfloat16
def test_packing_leaves_features_alone():
    classifier = classifier_of(WithFeatures().eval())
    images = torch.rand(2, 3, 8, 8) - 0.5
    copied, plain = prepare(classifier, torch.bfloat16, packed=True), prepare(classifier, torch.bfloat16)
    assert any(isinstance(part, PackedConv) for part in copied.module.modules())
    assert torch.equal(copied.features(images), plain.features(images))
    assert torch.equal(copied(images), plain(images))
    assert (copied.features(images) < 0).any()


@needs_bfloat16
def test_what_can_not_be_packed_climbs_on_the_plain_copy():
    classifier = classifier_of(Twisting().eval())
    copied, precision = at_precision(classifier, "bfloat16")
    assert precision == "bfloat16"
    assert not any(isinstance(part, PackedConv) for part in copied.module.modules())
    packed, _ = at_precision(classifier_of(seeded(Tapped())), "bfloat16")
    assert any(isinstance(part, PackedConv) for part in packed.module.modules())


@pytest.mark.parametrize("restarts", [1, 3])
def test_a_walk_ends_only_where_the_classifier_itself_is_fooled(monkeypatch, restarts):
    """A copy that calls everything fooled from the start: the walk goes on until the classifier says so."""
    classifier = load("cifar10-standard")
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    labels = classifier(images).argmax(dim=1)

    class Lying(nn.Module):
        def forward(self, normalised):
            logits = classifier.module(normalised)
            return logits - 100 * nn.functional.one_hot(labels.repeat(len(logits)), 10)[: len(logits)]

    from explorer.attacks import pgd

    copied = classifier.with_module(nn.Sequential(Lying()))
    monkeypatch.setattr(
        pgd, "at_precision", lambda chosen, precision: (chosen, precision) if precision == "float32" else (copied, "bfloat16")
    )
    attack = PGD(Threat("linf", 4 / 255), steps=5, until="fooled", restarts=restarts)
    result = attack(classifier, images, labels)
    assert result.success.all()
    assert torch.equal(result.success, classifier(result.adversarial).argmax(dim=1) != labels)
    assert (result.trace.kept > 0).any()  # the start did fool the copy
    assert torch.equal(result.trace.success_at_kept, result.success)
