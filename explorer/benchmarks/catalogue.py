"""Every architecture: its form for gradients, and the attack's speed beside a library's.

On one thread times are the processor's, which other programs on the machine change little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from explorer.attacks import PGD, Threat
from explorer.benchmarks.baselines import BASELINES, Attack, Baseline, Setting
from explorer.benchmarks.flops import gradient_flops
from explorer.benchmarks.models import BenchmarkModel
from explorer.benchmarks.rounds import (
    Quartiles,
    describe_error,
    gallery_images,
    load_tolerant_clock,
    ratio_quartiles,
    run_interleaved,
)
from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.imagenet import TORCHVISION_PREFIX
from explorer.classifiers.packaged import EFFICIENTNET
from explorer.engine import explain_precision, gradient_model
from explorer.errors import UserError

BASELINE = next(each for each in BASELINES if each.name == "torchattacks")
OURS = "explorer"


@dataclass(frozen=True)
class CatalogueLimits:
    """What is measured: no network above ``gflop`` per gradient or ``parameters`` in all."""

    gflop: float = 40.0
    parameters: int = 120_000_000


LIMITS = CatalogueLimits()


@dataclass(frozen=True)
class CatalogueRow:
    """One classifier.

    ``gflop`` is 10⁹ operations for one image's gradient. ``pieces`` are what autograd computes in
    the form of ``precision`` that was used; ``reason`` is why it was. ``ratio`` has the quartiles
    of the library's time over ours by batch size, ``milliseconds`` a step of ours. Where nothing
    was measured, ``problem`` says why.
    """

    model: str
    random: bool = False
    gflop: float = float("nan")
    precision: str = ""
    reason: str = ""
    pieces: tuple[str, ...] = ()
    ratio: dict[int, Quartiles] = field(default_factory=dict)
    milliseconds: dict[int, float] = field(default_factory=dict)
    problem: str = ""


def catalogue_names() -> tuple[str, ...]:
    """The bundled classifiers, the one that pip brings, then torchvision's architectures."""
    from explorer.classifiers.torchvision_models import architectures  # imports torchvision

    return (
        *bundled_cards(),
        EFFICIENTNET,
        *(TORCHVISION_PREFIX + name for name in architectures()),
    )


def measure_row(
    name: str,
    load: Callable[[str], BenchmarkModel],
    setting: Setting,
    batches: Sequence[int],
    rounds: int,
    precision: str = "auto",
    limits: CatalogueLimits = LIMITS,
    baseline: Baseline = BASELINE,
) -> CatalogueRow:
    """The classifier ``name``, which ``load`` makes.

    What is too large for ``limits`` is not measured. Raises what loading it raises.
    """
    model = load(name)
    classifier = model.classifier
    count = sum(each.numel() for each in classifier.parameters())
    if count > limits.parameters:
        return CatalogueRow(name, model.random, problem=f"{count / 1e6:,.0f} million parameters")
    gflop = gradient_flops(classifier) / 1e9
    if gflop > limits.gflop:
        return CatalogueRow(name, model.random, gflop, problem=f"{gflop:.3g} GFLOP a gradient")
    surrogate, used = gradient_model(classifier, precision)
    reason = explain_precision(classifier).reason if precision == "auto" else "asked for"
    pgd = PGD(Threat("linf", setting.epsilon), steps=setting.steps, precision=precision)
    attacks: dict[str, Attack] = {
        OURS: lambda images, labels: pgd(classifier, images, labels).adversarial
    }
    problem = "" if baseline.package is not None else f"{baseline.name} is not installed"
    if not problem:
        attacks[baseline.name] = baseline.attack(classifier, setting)
    ratio: dict[int, Quartiles] = {}
    milliseconds: dict[int, float] = {}
    clock = load_tolerant_clock(classifier.device)
    for batch in batches:
        images, labels = gallery_images(classifier, batch)
        result = run_interleaved(attacks, images, labels, rounds, clock)
        if OURS in result.errors:
            raise result.errors[OURS]
        ours = result.seconds[OURS]
        milliseconds[batch] = 1e3 * sorted(ours)[len(ours) // 2] / setting.steps
        if baseline.name in result.errors:
            problem = f"{baseline.name} failed: {type(result.errors[baseline.name]).__name__}"
        elif baseline.name in result.seconds:
            ratio[batch] = ratio_quartiles(result.seconds[baseline.name], ours)
    return CatalogueRow(
        name,
        model.random,
        gflop,
        used,
        reason,
        surrogate.autograd_pieces,
        ratio,
        milliseconds,
        problem,
    )


def try_row(measure: Callable[[], CatalogueRow], name: str) -> CatalogueRow:
    """A row in any case, so that one classifier that fails does not cost the others' rows."""
    try:
        return measure()
    except UserError as error:
        return CatalogueRow(name, problem=str(error))
    except Exception as error:  # an architecture of another version of torchvision may do anything
        return CatalogueRow(name, problem=describe_error(error))
