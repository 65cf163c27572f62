"""Projected gradient descent (Madry et al. 2018, arXiv 1706.06083), its one-step form FGSM (Goodfellow et al. 2015), and
the choices that make it strong: the best point is kept and the last one tested, restarts are a batch dimension, no loss
vanishes, and a longer attack only continues a shorter one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace

import torch
from torch import Tensor, nn

from explorer.attacks.cuda_graph import replayed
from explorer.attacks.loop import Callbacks, OnImage, OnStep, Walk, of_rows, succeeds
from explorer.attacks.losses import LOSSES, Objective
from explorer.attacks.objective import AttackError as AttackError
from explorer.attacks.result_ import AttackResult, Trace
from explorer.attacks.threat import Threat, per_sample
from explorer.attacks.trace import Recorder
from explorer.classifiers import Classifier
from explorer.engine.precision import at_precision

MOST_STEPS = 10_000
MOST_RESTARTS = 1_000
PRECISIONS = ("auto", "float32", "folded", "bfloat16")


@dataclass(frozen=True, eq=False)
class PGD:
    """A configured attack: ``PGD(threat)(classifier, images, labels)``.

    ``step_size`` is in the threat's norm and unit, constant; None takes 2.5 ε/t in step t, at most ε: Madry's 2.5 ε/T for
    every length T at once. It depends on the step and not on how many there are, so that more steps continue the same path and
    never do worse.
    ``restarts`` run side by side as one batch; with ``random_start`` each begins at a point uniform in the ball. A start is
    drawn from (seed, restart) and shared by the samples, so that a sample's result does not depend on its batch.
    ``loss``: "ce", "cw" (margin) or "dlr". ``keep="best"`` returns, per sample, the point with success and then the highest
    loss, over all T + 1 points of all restarts; "last" the last iterate of the best restart, as other libraries do.
    ``precision`` is that of the climb: "float32", on the classifier itself; "folded", on a prepared copy in float32, or "bfloat16", on one
    in bfloat16 (:mod:`explorer.engine.precision`); or "auto", the quickest on this machine. Success is always decided in float32 by
    the classifier itself, and a sample that only the copy calls fooled is attacked again in float32.

    ``until="fooled"`` leaves a sample alone, with all its restarts, once one of them succeeds: for questions that ask whether and not how
    surely. Its success is the same; its trace repeats from there on. Many ε or restarts then cost little more than the hardest.

    With ``steps=T, step_size=α, random_start=False, keep="last", precision="float32"`` it is the textbook algorithm:
    per step, gradient → step → projection on the ball → clamp to [0, 1].
    """

    threat: Threat
    _: KW_ONLY
    steps: int = 40
    step_size: float | Tensor | None = None
    restarts: int = 1
    random_start: bool = True
    loss: str = "ce"
    keep: str = "best"
    precision: str = "auto"
    seed: int = 0
    until: str = "end"

    def __post_init__(self) -> None:
        if (
            isinstance(self.steps, bool)
            or not isinstance(self.steps, int)
            or not 1 <= self.steps <= MOST_STEPS
        ):
            raise AttackError(
                f"steps must be a whole number from 1 to {MOST_STEPS:,}; it is {self.steps}"
            )
        if (
            isinstance(self.restarts, bool)
            or not isinstance(self.restarts, int)
            or not 1 <= self.restarts <= MOST_RESTARTS
        ):
            raise AttackError(
                f"restarts must be a whole number from 1 to {MOST_RESTARTS:,}; it is {self.restarts}"
            )
        if self.step_size is not None and not bool((torch.as_tensor(self.step_size) >= 0).all()):
            raise AttackError(
                f"the step size must be at least 0, in pixels of [0, 1]; it is {self.step_size}"
            )
        if self.restarts > 1 and not self.random_start:
            raise AttackError(
                "restarts without a random start would all be the same; allow the random start or use one"
            )
        for name, value, known in (
            ("loss", self.loss, tuple(LOSSES)),
            ("keep", self.keep, ("best", "last")),
            ("precision", self.precision, PRECISIONS),
            ("until", self.until, ("end", "fooled")),
        ):
            if value not in known:
                raise AttackError(f"unknown {name} {value!r}: it is one of {', '.join(known)}")

    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targets: Tensor | None = None,
        *,
        initial: Tensor | None = None,
        frames: bool = False,
        on_step: OnStep | None = None,
        on_image: OnImage | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> AttackResult:
        """Attack ``images`` float32 [N, 3, H, W] in [0, 1] with ``labels`` int64 [N]; towards ``targets`` int64 [N] if given.

        ``initial`` [N, 3, H, W] is where the first restart begins in place of a random start (projected into the threat).
        ``frames`` keeps every iterate in the trace. ``on_step(done, steps, mean loss)`` is called after each step,
        ``on_image(step, points)`` shows each point [R·N, 3, H, W] before it;
        ``cancelled()`` is asked before each, and :class:`Cancelled` raised when it says so. Raises :class:`AttackError`.
        The images, the classifier and the global random state are left as they were. Tensors come back on the images' device.
        """
        home, device = images.device, classifier.device
        self._check(classifier, images, labels, targets)
        attack = replace(self, threat=_on(self.threat, device, len(images)))
        images, labels = images.detach().to(device), labels.to(device)
        targets = None if targets is None else targets.to(device)
        with _evaluation_mode(classifier.module):
            climber, precision = at_precision(classifier, self.precision)
            recorder = Recorder(len(images), self.keep, frames)
            walk = Walk(attack, climber, classifier, images, labels, targets)
            start, told = attack._starts(images, initial), Callbacks(on_step, on_image, cancelled)
            graph = replayed(walk, recorder, told)
            if graph is not None:
                graph.go(walk, start, recorder, told)
            else:
                walk.go(start, recorder, told)
            adversarial, trace = recorder.finish()
            logits = walk.judged(adversarial, trace)
        if not bool(torch.isfinite(logits).all() & torch.isfinite(trace.logits).all()):
            raise AttackError(
                "the classifier returned logits that are not finite; its weights or its input range are wrong"
            )
        success = succeeds(logits, labels, targets)
        result = AttackResult(adversarial, success, logits, trace, precision)
        if climber is not classifier:
            result = replace(
                result,
                trace=_at_kept(trace, LOSSES[self.loss](logits, labels, targets), logits, success),
            )
            doubtful = (trace.success_at_kept & ~success).nonzero().flatten()
            if len(doubtful):
                again = attack._of(doubtful, precision="float32")(
                    classifier,
                    images[doubtful],
                    labels[doubtful],
                    None if targets is None else targets[doubtful],
                    initial=None if initial is None else initial.to(device)[doubtful],
                    frames=frames,
                    cancelled=cancelled,
                )
                result = result.replaced(doubtful, again)
        return result.to(home)

    def _of(self, rows: Tensor, precision: str) -> PGD:
        """The same attack for some of the samples."""
        step_size = of_rows(self.step_size, rows) if self.step_size is not None else None
        threat = replace(self.threat, epsilon=of_rows(self.threat.epsilon, rows))
        return replace(self, threat=threat, step_size=step_size, precision=precision)

    def _starts(self, images: Tensor, initial: Tensor | None) -> Tensor:
        """Where each restart begins: [R·N, 3, H, W] within the threat."""
        starts = []
        for restart in range(self.restarts):
            if restart == 0 and initial is not None:
                delta = initial.detach().to(images) - images
            elif self.random_start:
                generator = torch.Generator().manual_seed((self.seed * 1_000_003 + restart) % 2**63)
                unit = Threat(self.threat.norm, 1.0).random_start(images[:1], generator)
                delta = unit * per_sample(self.threat.epsilon, images)
            else:
                delta = torch.zeros_like(images)
            starts.append((images + self.threat.project(delta)).clamp_(0, 1))
        return torch.cat(starts) if len(starts) > 1 else starts[0]

    def _check(
        self, classifier: Classifier, images: Tensor, labels: Tensor, targets: Tensor | None
    ) -> None:
        if images.dim() != 4 or not len(images) or images.dtype != torch.float32:
            raise AttackError(
                f"images must be float32 [N, 3, H, W]; they are {images.dtype} {list(images.shape)}"
            )
        if not (
            float(images.amin()) >= 0 and float(images.amax()) <= 1
        ):  # not the other way round: NaN is neither
            raise AttackError("images must lie in [0, 1]; the classifier normalises them itself")
        classes = len(classifier.labels)
        for name, values in (("labels", labels), ("targets", targets)):
            if values is None:
                continue
            if values.shape != images.shape[:1] or values.dtype != torch.int64:
                raise AttackError(
                    f"{name} must be int64 [{len(images)}]; they are {values.dtype} {list(values.shape)}"
                )
            if not bool(((values >= 0) & (values < classes)).all()):
                raise AttackError(f"{name} must be class indices from 0 to {classes - 1}")
        if self.loss == "dlr" and classes < (3 if targets is None else 4):
            raise AttackError(f"the DLR loss needs more classes than {classes}; use ce or cw")
        for name, value in (("epsilon", self.threat.epsilon), ("step_size", self.step_size)):
            if isinstance(value, Tensor) and value.numel() not in (1, len(images)):
                raise AttackError(f"{name} has {value.numel()} values for {len(images)} images")


def fgsm(threat: Threat) -> PGD:
    """The fast gradient sign method (Goodfellow et al. 2015): one full step from the image itself. L2: the same along g/‖g‖."""
    return PGD(
        threat,
        steps=1,
        step_size=threat.epsilon,
        random_start=False,
        keep="last",
        precision="float32",
    )


def _at_kept(trace: Trace, objective: Objective, logits: Tensor, success: Tensor) -> Trace:
    """The trace with what the classifier itself says, in float32, at the point that was kept."""
    samples = torch.arange(len(success), device=success.device)
    changed = {
        "loss": trace.loss.clone(),
        "logits": trace.logits.clone(),
        "success": trace.success.clone(),
    }
    for name, value in (("loss", objective.value), ("logits", logits), ("success", success)):
        changed[name][trace.kept, samples] = value
    return replace(trace, **changed)


def _on(threat: Threat, device: torch.device, n: int) -> Threat:
    epsilon = threat.epsilon
    return (
        replace(threat, epsilon=epsilon.detach().to(device))
        if isinstance(epsilon, Tensor)
        else threat
    )


@contextmanager
def _evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Every part in evaluation mode, and each back in its own mode afterwards."""
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
