"""What "auto" stands for: a rule of processor and network, a setting, or a measurement."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import load
from explorer.classifiers.catalogue import bundled_cards
from explorer.engine import (
    Choice,
    explain_precision,
    forget_tuning,
    gradient_model,
    measurement,
    processor,
    tune,
    tuning,
)
from explorer.engine import choice as engine_choice
from explorer.engine import precision as engine_precision
from explorer.engine.choice import MIN_WORK, rule
from explorer.engine.composition import Composition, composition_of
from explorer.engine.processor import Processor, cpu_bfloat16
from explorer.errors import UserError
from explorer.files import cache_folder
from tests.networks import Scrambled, classifier_of, conv_pool_norm_relu


def machine(fast: bool, vendor: str = "AuthenticAMD") -> Processor:
    return Processor("a processor", vendor, (), fast, "a reason")


FAST, SLOW, GPU = machine(True), machine(False), machine(True, "cuda")
RESNET18 = Composition(dense=1_813_600_000, linear=512_000)
MOBILENET = Composition(dense=278_800_000, depthwise=20_700_000, linear=1_300_000)
CONVNEXT = Composition(dense=187_900_000, depthwise=105_100_000, linear=4_162_600_000)


@pytest.mark.parametrize(
    ("processor", "network", "expected"),
    [
        (FAST, RESNET18, "bfloat16"),
        (SLOW, RESNET18, "folded"),
        (FAST, MOBILENET, "folded"),
        (SLOW, MOBILENET, "folded"),
        (FAST, CONVNEXT, "bfloat16"),
        (SLOW, CONVNEXT, "folded"),
        (GPU, MOBILENET, "bfloat16"),
        (FAST, Composition(linear=10**10), "float32"),
        (FAST, Composition(dense=MIN_WORK - 1), "float32"),
        (FAST, Composition(dense=MIN_WORK), "bfloat16"),
    ],
)
def test_the_rule(processor, network, expected):
    assert rule(processor, network).precision == expected


@pytest.mark.parametrize(
    ("vendor", "features", "fast"),
    [
        ("GenuineIntel", ("amx_tile", "avx512_bf16", "avx512f"), True),
        ("GenuineIntel", ("avx512_bf16", "avx512f"), False),
        ("AuthenticAMD", ("avx512_bf16", "avx512f"), True),
        ("AuthenticAMD", ("avx512f", "avx2"), False),
        ("", ("avx512_bf16",), False),
        ("", (), False),
    ],
)
def test_bfloat16_pays_on_few_processors(vendor, features, fast):
    assert cpu_bfloat16(vendor, features)[0] is fast


def test_this_processor_has_a_name_and_its_features():
    cpu = processor(torch.device("cpu"))
    assert cpu.name
    assert ("avx512_bf16" in cpu.features) is torch.cpu._is_avx512_bf16_supported()
    assert cpu.name in cpu.description


def test_multiplications_are_counted_by_kind():
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 4, 1, groups=2),
        nn.Flatten(),
        nn.Linear(4 * 64, 3),
    )
    expected = Composition(dense=64 * (8 * 27 + 4 * 4), depthwise=64 * 8 * 9, linear=4 * 64 * 3)
    random_state = torch.get_rng_state()
    assert composition_of(classifier_of(module)) == expected
    assert torch.equal(random_state, torch.get_rng_state())


def test_a_module_that_fails_has_no_copies():
    class Failing(nn.Module):
        def forward(self, images):
            raise ValueError("no")

    assert engine_choice.by_rule(classifier_of(Failing())).precision == "float32"


def test_every_bundled_classifier_has_its_form_on_every_kind_of_processor():
    for name in bundled_cards():
        network = composition_of(load(name, device="cpu"))
        assert rule(FAST, network).precision == "bfloat16", name
        assert rule(SLOW, network).precision == "folded", name


def test_a_copy_that_disagrees_is_not_the_choice(monkeypatch):
    classifier = classifier_of(Scrambled().eval())
    monkeypatch.setattr(engine_precision, "by_rule", lambda _: Choice("bfloat16", "it pays"))
    choice = explain_precision(classifier)
    assert choice.precision == gradient_model(classifier)[1] == "folded"
    assert choice.reason == (
        "its gradients in bfloat16 are too far from the network's own, so folded is used instead; "
        "nothing has to be done"
    )


@pytest.mark.parametrize("value", ["float32", "folded", "bfloat16"])
def test_the_setting_decides_for_auto_alone(monkeypatch, value):
    monkeypatch.setenv("EXPLORER_PRECISION", value)
    classifier = load("cifar10-standard", device="cpu")
    assert gradient_model(classifier)[1] == value
    assert gradient_model(classifier, "folded")[1] == "folded"
    assert explain_precision(classifier).reason == "EXPLORER_PRECISION says so"


def test_a_setting_that_is_no_precision_is_a_sentence(monkeypatch):
    monkeypatch.setenv("EXPLORER_PRECISION", "float8")
    with pytest.raises(UserError, match="must be auto, float32, folded or bfloat16"):
        gradient_model(load("cifar10-standard", device="cpu"))


def small_classifier():
    """A network that is too small for the rule to choose a copy."""
    classifier = classifier_of(conv_pool_norm_relu())
    classifier(torch.rand(2, 3, 8, 8))  # its lazy parts get their size
    return classifier


@pytest.fixture
def tuned(monkeypatch, tmp_path):
    """A classifier of which the machine's form in float32 was measured to be the quickest."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    classifier = small_classifier()
    tuning.keep_tuning(classifier, "folded", {"folded": {1: 1.0}})
    return classifier


def test_a_measurement_decides_in_every_process_from_then_on(tuned):
    assert explain_precision(tuned) == Choice("folded", "measured here by doctor --tune")
    assert gradient_model(tuned)[1] == "folded"
    assert forget_tuning() == 1
    assert gradient_model(tuned)[1] == "float32"
    assert forget_tuning() == 0


def test_a_measurement_belongs_to_its_weights(tuned):
    with torch.no_grad():
        tuned.module[0].weight.mul_(2)
    assert gradient_model(tuned)[1] == "float32"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[]", b"{}", b'{"key": {}, "precision": "folded"}']
)
def test_a_damaged_measurement_is_ignored_with_one_line(tuned, caplog, content):
    (path,) = (cache_folder() / "tuning").iterdir()
    path.write_bytes(content)
    tuning._warn.cache_clear()
    for _ in range(3):
        assert gradient_model(tuned)[1] == "float32"
    (line,) = caplog.messages
    assert (
        line == f"the tuning file {path.name} is damaged and ignored; doctor --tune makes it again"
    )


class Clock:
    """Time that only the forms take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Timed:
    """A model whose gradient takes so many seconds for one image, the first time ten times."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds, self.batches = clock, seconds, []

    def logits_vjp(self, images):
        self.batches.append(len(images))
        first = self.batches.count(len(images)) == 1
        self.clock.now += self.seconds * len(images) * (10 if first else 1)
        return torch.zeros(len(images), 2), lambda gradient: images


@pytest.mark.parametrize("quickest", ["float32", "folded", "bfloat16"])
def test_the_quickest_form_by_interleaved_rounds(monkeypatch, tmp_path, quickest):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    clock = Clock()
    models = {form: Timed(clock, 0.2 if form == quickest else 0.3) for form in tuning.FORMS}
    monkeypatch.setattr(
        measurement, "gradient_model", lambda classifier, form: (models[form], form)
    )
    classifier = small_classifier()
    result = tune(classifier, clock)
    assert result.precision == quickest
    assert result.milliseconds[quickest] == {1: 200.0, 8: 1600.0}
    assert tuning.tuned_precision(classifier) == quickest
    rounds = {tuple(model.batches) for model in models.values()}
    assert len(rounds) == 1  # all had the same turns
    assert rounds.pop().count(8) == measurement.MIN_ROUNDS


def test_a_form_that_no_copy_has_is_not_measured(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    monkeypatch.setattr(measurement, "MAX_ROUNDS", 1)
    result = tune(classifier_of(Scrambled().eval()))
    assert set(result.milliseconds) == {"float32", "folded"}
