"""What precision "auto" stands for: a rule, with nothing timed, the same in every process.

The rule rests on measurements of the input gradient, as multiples of the speed of the classifier
itself; ``tests/benchmarks/README.md`` has them. bfloat16 pays where the processor has units for it,
and folding with prepacked weights wherever there are convolutions: also in networks whose work is
mostly in linear layers, such as ConvNeXt and the vision transformers.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from explorer.classifiers import Classifier
from explorer.engine.composition import Composition, composition_of
from explorer.engine.processor import Processor, processor
from explorer.engine.tuning import tuned_precision
from explorer.settings import AUTO, PRECISION

# Multiplications in one image's convolutions. Less work has nothing to gain.
MIN_WORK = 10_000_000
# Of all multiplications. CPUs compute depthwise convolutions in bfloat16 more slowly than in
# float32: with 2.4 % of them ConvNeXt-Tiny still gains, with 2.9 % ShuffleNetV2 loses.
MAX_DEPTHWISE_SHARE = 0.025


@dataclass(frozen=True)
class Choice:
    """The ``precision`` that "auto" stands for, and the ``reason``, a phrase."""

    precision: str
    reason: str


def decided(classifier: Classifier) -> Choice | None:
    """The operator's choice, or else what was measured on this machine; None without either."""
    if PRECISION.value != AUTO:
        return Choice(PRECISION.value, f"{PRECISION.name} says so")
    tuned = tuned_precision(classifier)
    return None if tuned is None else Choice(tuned, "measured here by doctor --tune")


def by_rule(classifier: Classifier) -> Choice:
    """The rule's choice for ``classifier`` on its device."""
    if not any(isinstance(part, nn.Conv2d) for part in classifier.module.modules()):
        return rule(processor(classifier.device), Composition())
    return rule(processor(classifier.device), composition_of(classifier))


def rule(machine: Processor, network: Composition) -> Choice:
    """The precision for a ``network`` on this ``machine``."""
    if not network.convolutions:
        return Choice("float32", "the network has no convolutions")
    if network.convolutions < MIN_WORK:
        return Choice("float32", "the network is too small to gain anything")
    depthwise = machine.vendor != "cuda" and network.depthwise_share > MAX_DEPTHWISE_SHARE
    if machine.has_fast_bfloat16 and not depthwise:
        return Choice("bfloat16", machine.reason)
    slow = "depthwise convolutions are slow in bfloat16"
    return Choice("folded", slow if depthwise else machine.reason)
