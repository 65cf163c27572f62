"""Equal strength: how many of our steps reach what another library's attack reaches, and how soon.

Strength is the mean loss and the success that the classifier itself finds, in float32, on the
images that an attack returns. All attacks get the same weights, images, labels, targets and ε.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks import PGD, Threat
from explorer.attacks.settings import RULES
from explorer.benchmarks.baselines import BASELINES, Attack, Baseline, Setting
from explorer.benchmarks.rounds import Clock, describe_error, load_tolerant_clock, synchronize
from explorer.classifiers import Classifier
from explorer.engine import gradient_model, logits_of

PGD_NAMES = ("torchattacks", "foolbox", "art")
APGD_NAME, APGD_STEPS = "autoattack", 100
BASELINE_STEPS = (10, 40, 100)
MOST_STEPS = 100  # of ours, tried for the strength of another attack
SHOWN_STEPS = (1, 2, 5, 10, 20, 40, 100)

OnDone = Callable[[str], None]
"""``on_done(what was measured)``, after each measurement."""
OnCase = Callable[["StrengthCase"], None]
"""``on_case(the case so far)``, after each comparison."""


@dataclass(frozen=True)
class Strength:
    """The mean ``loss`` of images under attack, and the ``success``, a share of them.

    The loss is the label's cross-entropy, or minus the target's.
    """

    loss: float
    success: float

    def reaches(self, other: Strength) -> bool:
        """Whether this is as strong in both."""
        return self.loss >= other.loss and self.success >= other.success


@dataclass(frozen=True)
class Reached:
    """The fewest ``steps`` of ours that are as strong, their ``strength`` and ``seconds``.

    ``ratio`` is the other attack's time over ours, the median of interleaved rounds. Where
    :data:`MOST_STEPS` steps are not as strong, ``steps`` is None, and the rest is of that many.
    """

    steps: int | None
    strength: Strength
    seconds: float
    ratio: float


@dataclass(frozen=True)
class Comparison:
    """Another library's attack, and what our steps of each rule need to be as strong.

    ``seconds`` is the median of interleaved rounds. Where nothing was measured, ``problem`` says
    why.
    """

    name: str
    steps: int
    strength: Strength | None = None
    seconds: float = float("nan")
    ours: dict[str, Reached] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class StrengthCase:
    """One classifier and threat, untargeted or targeted.

    ``curves`` has, by rule, our strength after so many steps.
    """

    model: str
    setting: Setting
    images: int
    precision: str
    curves: dict[str, dict[int, Strength]]
    comparisons: tuple[Comparison, ...]


def random_targets(labels: Tensor, classes: int) -> Tensor:
    """For each of ``labels`` int64 [N] another class, the same in every run."""
    generator = torch.Generator().manual_seed(0)
    shift = torch.randint(1, classes, labels.shape, generator=generator)
    return (labels + shift.to(labels.device)) % classes


def measure_strength(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    setting: Setting,
    *,
    rounds: int = 1,
    baseline_steps: Sequence[int] = BASELINE_STEPS,
    baselines: Sequence[Baseline] = BASELINES,
    rules: Sequence[str] = RULES,
    precision: str = "auto",
    on_done: OnDone = lambda what: None,
    on_case: OnCase = lambda case: None,
    clock: Clock | None = None,
) -> StrengthCase:
    """The comparisons with the PGD of three libraries and with APGD, in the ball of ``setting``.

    ``images`` are float32 [N, 3, H, W] in [0, 1], ``labels`` int64 [N]; the targets of a targeted
    attack are :func:`random_targets`. The steps of ``setting`` are not used. An attack that fails,
    or is not installed, is listed with its problem.
    """
    images, labels = images.to(classifier.device), labels.to(classifier.device)
    clock = load_tolerant_clock(classifier.device) if clock is None else clock
    targets = random_targets(labels, len(classifier.labels)) if setting.targeted else None
    ours = {}
    for rule in rules:
        ours[rule] = _Ours(classifier, images, labels, targets, setting, rule, precision)
        on_done(f"ours, {rule}")
    case = StrengthCase(
        model=classifier.name,
        setting=setting,
        images=len(images),
        precision=gradient_model(classifier, precision)[1],
        curves={
            rule: {steps: each.strength(steps) for steps in SHOWN_STEPS}
            for rule, each in ours.items()
        },
        comparisons=(),
    )
    for baseline, steps in _attacks(baselines, baseline_steps):
        comparison = _compare(baseline, replace(setting, steps=steps), ours, rounds, clock)
        case = replace(case, comparisons=(*case.comparisons, comparison))
        on_done(f"{baseline.name}, {steps} steps")
        on_case(case)
    return case


def _attacks(
    baselines: Sequence[Baseline], baseline_steps: Sequence[int]
) -> list[tuple[Baseline, int]]:
    pgd = [each for each in baselines if each.name in PGD_NAMES]
    apgd = [each for each in baselines if each.name == APGD_NAME]
    return [(each, steps) for each in pgd for steps in baseline_steps] + [
        (each, APGD_STEPS) for each in apgd
    ]


class _Ours:
    """Our attack on the images after any number of steps; each number is attacked once."""

    def __init__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targets: Tensor | None,
        setting: Setting,
        rule: str,
        precision: str,
    ) -> None:
        self.classifier, self.images = classifier, images
        self.classes = labels if targets is None else targets
        self._labels, self._targets = labels, targets
        self._pgd = PGD(
            Threat(setting.norm, setting.epsilon),
            steps=MOST_STEPS,
            rule=rule,
            precision=precision,
        )
        result = self._pgd(classifier, images, labels, targets)
        self._strengths = {MOST_STEPS: self.strength_of(result.adversarial)}
        # What the copy says of all steps is where the search for the fewest begins.
        trace = result.trace
        self._losses = trace.loss.cummax(dim=0).values.mean(dim=1)
        self._successes = trace.success.int().cummax(dim=0).values.float().mean(dim=1)

    def run(self, steps: int) -> Tensor:
        """The adversarial images [N, 3, H, W] after ``steps``."""
        pgd = replace(self._pgd, steps=steps)
        return pgd(self.classifier, self.images, self._labels, self._targets).adversarial

    def time(self, steps: int | None, clock: Clock) -> float:
        """The seconds of so many steps, of :data:`MOST_STEPS` if None."""
        return _timed(lambda *_: self.run(steps or MOST_STEPS), self, clock)[1]

    def strength(self, steps: int) -> Strength:
        """What :meth:`run` reaches."""
        if steps not in self._strengths:
            self._strengths[steps] = self.strength_of(self.run(steps))
        return self._strengths[steps]

    def strength_of(self, adversarial: Tensor) -> Strength:
        """What the classifier itself says of ``adversarial`` [N, 3, H, W]."""
        logits = logits_of(self.classifier, adversarial)
        success = (logits.argmax(dim=1) == self.classes) == (self._targets is not None)
        loss = float(F.cross_entropy(logits, self.classes))
        return Strength(loss if self._targets is None else -loss, float(success.float().mean()))

    def fewest_steps(self, goal: Strength) -> int | None:
        """The fewest steps that reach ``goal``, None where :data:`MOST_STEPS` do not."""
        promising = (self._losses >= goal.loss) & (self._successes >= goal.success)
        steps = max(1, int(promising.int().argmax())) if promising.any() else MOST_STEPS
        while steps < MOST_STEPS and not self.strength(steps).reaches(goal):
            steps += 1
        if not self.strength(steps).reaches(goal):
            return None
        while steps > 1 and self.strength(steps - 1).reaches(goal):
            steps -= 1
        return steps


def _compare(
    baseline: Baseline, setting: Setting, ours: dict[str, _Ours], rounds: int, clock: Clock
) -> Comparison:
    """One attack of another library beside ours, which take turns."""
    if baseline.package is None:
        return Comparison(baseline.name, setting.steps, problem="not installed")
    question = next(iter(ours.values()))
    try:
        attack = baseline.attack(question.classifier, setting)
        warm_up = baseline.attack(question.classifier, replace(setting, steps=1))
        _timed(warm_up, question, clock)
        adversarial, seconds = _timed(attack, question, clock)
    except Exception as error:  # another library may fail in any way
        return Comparison(baseline.name, setting.steps, problem=describe_error(error))
    goal = question.strength_of(adversarial)
    fewest = {rule: each.fewest_steps(goal) for rule, each in ours.items()}
    theirs, mine = (
        [seconds],
        {rule: [each.time(fewest[rule], clock)] for rule, each in ours.items()},
    )
    for _ in range(rounds - 1):
        theirs.append(_timed(attack, question, clock)[1])
        for rule, each in ours.items():
            mine[rule].append(each.time(fewest[rule], clock))
    reached = {
        rule: Reached(
            fewest[rule],
            each.strength(fewest[rule] or MOST_STEPS),
            _median(mine[rule]),
            _median([a / b for a, b in zip(theirs, mine[rule], strict=True)]),
        )
        for rule, each in ours.items()
    }
    return Comparison(baseline.name, setting.steps, goal, _median(theirs), reached)


def _timed(attack: Attack, ours: _Ours, clock: Clock) -> tuple[Tensor, float]:
    """What ``attack`` returns, and the seconds that it took."""
    torch.manual_seed(0)  # the libraries draw their starts from the global state
    images, classes = ours.images.clone(), ours.classes.clone()
    start = clock()
    adversarial = attack(images, classes).detach()
    synchronize(images.device)
    return adversarial, clock() - start


def _median(values: list[float]) -> float:
    return float(torch.tensor(values, dtype=torch.float64).median())
