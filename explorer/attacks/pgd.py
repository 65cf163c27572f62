"""Projected gradient descent (Madry et al. 2018, arXiv 1706.06083), made strong and repeatable.

The best point is kept and the last one tested, restarts are a batch dimension, no loss vanishes,
and a longer attack only continues a shorter one. FGSM (Goodfellow et al. 2015) is one full step
without a random start: ``PGD(threat, steps=1, step_size=threat.epsilon, random_start=False)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

import explorer.attacks.cuda_graph as cuda_graph
from explorer.attacks.arguments import as_classes, as_classifier, as_images, as_start
from explorer.attacks.error import AttackError
from explorer.attacks.loop import (
    AttackBatch,
    AttackModels,
    Callbacks,
    OnImage,
    OnStep,
    run,
    select_rows,
)
from explorer.attacks.recorder import TraceRecorder
from explorer.attacks.settings import AttackSettings
from explorer.attacks.threat import Threat, per_sample
from explorer.attacks.trace import AttackResult, Trace
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import gradient_model, logits_of
from explorer.errors import is_out_of_memory

NOT_FINITE = (
    "the classifier returned logits that are not finite; its weights or its input range are wrong"
)


class PGD(AttackSettings):
    """A configured attack: ``PGD(threat)(classifier, images, labels)``.

    The settings are those of :class:`AttackSettings`. With ``steps=T, step_size=α,
    random_start=False, keep="last", precision="float32"`` it is the textbook algorithm: per step,
    gradient → step → projection on the ball → clamp to [0, 1].
    """

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
        """Attack ``images`` float32 [N, 3, H, W] in [0, 1] with ``labels`` int64 [N].

        All of them may be arrays or lists too.

        With ``targets`` int64 [N] the attack is targeted. ``initial`` [N, 3, H, W] is where the
        first restart begins instead of at a random start (projected into the threat). ``frames``
        keeps every point in the trace. ``on_step(steps taken, steps, mean loss)`` is called after
        each step, ``on_image(step, images [R·N, 3, H, W])`` at each point; ``cancelled()`` is asked
        before each step, and :class:`~explorer.errors.Cancelled` raised when it returns true.
        Raises :class:`AttackError`. The images, the classifier and the global random state stay as
        they were. Tensors come back on the images' device.
        """
        device = as_classifier(classifier).device
        images, classes = as_images(images), len(classifier.labels)
        labels = as_classes("labels", labels, len(images), classes)
        if targets is not None:
            targets = as_classes("targets", targets, len(images), classes)
        if initial is not None:
            initial = as_start(initial, images)
        self._check(len(images), classes, targeted=targets is not None)
        attack = replace(self, threat=_on_device(self.threat, device))
        callbacks = Callbacks(on_step, on_image, cancelled)
        with evaluation_mode(classifier), _size_named(classifier, images):
            result = attack._run(
                classifier,
                images.detach().to(device),
                labels.to(device),
                None if targets is None else targets.to(device),
                None if initial is None else initial.detach().to(device),
                frames,
                callbacks,
            )
        return result.to(images.device)

    def _run(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targets: Tensor | None,
        initial: Tensor | None,
        frames: bool,
        callbacks: Callbacks,
    ) -> AttackResult:
        surrogate, precision = gradient_model(classifier, self.precision)
        models = AttackModels(surrogate, classifier, is_copy=precision != "float32")
        batch = AttackBatch.of(self, images, labels, targets)
        start = self._starts(images, initial)
        graph = cuda_graph.find(self, models, batch, frames, callbacks)
        if graph is not None:
            adversarial, trace = graph.run(self, models, batch, start, callbacks)
        else:
            classes = len(classifier.labels)
            recorder = TraceRecorder(self.steps, start, classes, len(images), self.keep, frames)
            run(self, models, batch, start, recorder, callbacks)
            adversarial, trace = recorder.finish(self.steps)
        logits = self._decided(models, adversarial, trace)
        if not bool(torch.isfinite(logits).all() & torch.isfinite(trace.logits).all()):
            raise AttackError(NOT_FINITE)
        objective = self.objective(labels, targets)
        success = objective.is_success(logits)
        if not models.is_copy:
            return AttackResult(adversarial, success, logits, trace, precision)
        at_kept = trace.at_kept(objective.at_logits(logits).loss, logits, success)
        result = AttackResult(adversarial, success, logits, at_kept, precision)
        # Where only the copy was fooled, the sample is attacked again in float32.
        rows = (trace.success_at_kept & ~success).nonzero().flatten()
        if not len(rows):
            return result
        again = self._for_rows(rows)._run(
            classifier,
            images[rows],
            labels[rows],
            None if targets is None else targets[rows],
            None if initial is None else initial[rows],
            frames,
            Callbacks(cancelled=callbacks.cancelled),
        )
        return result.replaced(rows, again)

    def _decided(self, models: AttackModels, adversarial: Tensor, trace: Trace) -> Tensor:
        """What the classifier itself says of ``adversarial``, float32 [N, C]."""
        if not models.decides_last(self):
            return logits_of(models.classifier, adversarial)
        logits = trace.logits[-1].clone()
        rows = (trace.kept < self.steps).nonzero().flatten()
        if len(rows):
            logits[rows] = logits_of(models.classifier, adversarial[rows])
        return logits

    def _for_rows(self, rows: Tensor) -> PGD:
        """The same attack in float32 for some of the samples."""
        step_size = None if self.step_size is None else select_rows(self.step_size, rows)
        threat = replace(self.threat, epsilon=select_rows(self.threat.epsilon, rows))
        return replace(self, threat=threat, step_size=step_size, precision="float32")

    def _starts(self, images: Tensor, initial: Tensor | None) -> Tensor:
        """Where each restart begins: [R·N, 3, H, W] within the threat."""
        starts = []
        for restart in range(self.restarts):
            if restart == 0 and initial is not None:
                delta = initial.to(images) - images
            elif not self.starts_at_image(restart):
                seed = (self.seed * 1_000_003 + restart) % 2**63
                generator = torch.Generator().manual_seed(seed)
                unit = Threat(self.threat.norm, 1.0).random_start(images[:1], generator)
                delta = unit * per_sample(self.threat.epsilon, images)
            else:
                delta = torch.zeros_like(images)
            starts.append((images + self.threat.project(delta)).clamp_(0, 1))
        return torch.cat(starts) if len(starts) > 1 else starts[0]

    def _check(self, count: int, classes: int, *, targeted: bool) -> None:
        if self.loss == "dlr" and classes < (4 if targeted else 3):
            raise AttackError(f"the DLR loss needs more classes than {classes}; use ce or cw")
        for name, value in (("epsilon", self.threat.epsilon), ("step_size", self.step_size)):
            if isinstance(value, Tensor) and value.numel() not in (1, count):
                raise AttackError(f"{name} has {value.numel()} values for {count} images")


def _on_device(threat: Threat, device: torch.device) -> Threat:
    if not isinstance(threat.epsilon, Tensor):
        return threat
    return replace(threat, epsilon=threat.epsilon.detach().to(device))


@contextmanager
def _size_named(classifier: Classifier, images: Tensor) -> Iterator[None]:
    """Say so where the network failed on images of another size than its own.

    It is not refused at once: many networks take every size.
    """
    try:
        yield
    except RuntimeError as error:
        size, own = tuple(images.shape[2:]), classifier.input_size
        if size == own or is_out_of_memory(error):
            raise
        raise AttackError(
            f"{classifier.name} can't take images of {size[0]} × {size[1]}; resize them to "
            f"{own[0]} × {own[1]}"
        ) from error
