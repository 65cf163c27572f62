"""The forms of a classifier that give an attack its gradients: itself or an optimized copy.

Only gradients come from a copy. Success is decided by the classifier itself, in float32.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.classifiers.weights_version import weights_version
from explorer.engine.capture import CaptureError
from explorer.engine.choice import Choice, by_rule, decided
from explorer.engine.compiled import CompiledForward
from explorer.engine.gradient_model import AutogradModel, GradientModel
from explorer.engine.optimized_copy import noise, optimized_copy, with_channels_last
from explorer.engine.tape_model import TapeModel
from explorer.errors import is_out_of_memory
from explorer.settings import COMPILE

_LOGGER = logging.getLogger(__name__)

# The type of a copy, and the least agreement (cosine) of its input gradient with the original's on
# noise: rounding to bfloat16 leaves 0.88 of GoogLeNet's.
COPIES = {"folded": (torch.float32, 0.999), "bfloat16": (torch.bfloat16, 0.8)}
# What serves in place of a copy that does not agree, where "auto" chose it.
FALLBACKS = {"bfloat16": ("bfloat16", "folded"), "folded": ("folded",), "float32": ()}


@dataclass
class _Forms:
    """A classifier's copies, made from its weights of ``version``.

    A copy is None where none can be made that agrees with the classifier.
    """

    version: Hashable
    copies: dict[str, GradientModel | None] = field(default_factory=dict)
    rule: Choice | None = None  # until it is asked for


_forms_of: weakref.WeakKeyDictionary[Classifier, _Forms] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def gradient_model(classifier: Classifier, precision: str = "auto") -> tuple[GradientModel, str]:
    """The form of ``classifier`` that gives gradients in ``precision``, and its precision.

    "float32" is the classifier itself, "folded" an optimized copy in float32, "bfloat16" one in
    bfloat16. "auto" is one of them, the same in every process of this machine:
    :mod:`explorer.engine.choice`. The classifier itself serves where no copy agrees with it.
    """
    if precision == "float32":
        return AutogradModel(classifier), "float32"
    with _lock:
        forms = _current_forms(classifier)
        names: tuple[str, ...] = (precision,)
        if precision == "auto":
            names = FALLBACKS[_choice(classifier, forms).precision]
        for name in names:
            if name not in forms.copies:
                forms.copies[name] = _agreeing_copy(classifier, name)
            model = forms.copies[name]
            if model is not None:
                return model, name
    return AutogradModel(classifier), "float32"


def explain_precision(classifier: Classifier) -> Choice:
    """What "auto" is for ``classifier`` on this machine, and why."""
    used = gradient_model(classifier)[1]
    with _lock:
        choice = _choice(classifier, _current_forms(classifier))
    if used == choice.precision:
        return choice
    return Choice(
        used,
        f"its gradients in {choice.precision} are too far from the network's own, so {used} is "
        "used instead; nothing has to be done",
    )


def _choice(classifier: Classifier, forms: _Forms) -> Choice:
    """Read anew each time: what ``doctor --tune`` finds holds for processes that run already."""
    choice = decided(classifier)
    if choice is not None:
        return choice
    if forms.rule is None:
        forms.rule = by_rule(classifier)
    return forms.rule


def _current_forms(classifier: Classifier) -> _Forms:
    """Those made from the classifier's present weights."""
    version = weights_version(classifier.module)
    forms = _forms_of.get(classifier)
    if forms is None or forms.version != version:
        forms = _forms_of[classifier] = _Forms(version)
    return forms


def _gradient(model: GradientModel, images: Tensor) -> Tensor:
    """The gradient of Σ logsumexp(logits), float32 [N, C, H, W]."""
    logits, vjp = model.logits_vjp(images)
    if logits.dim() != 2:  # such as [N, C, 1, 1], which a classifier flattens and a tape does not
        raise CaptureError(f"the logits are {list(logits.shape)}")
    return vjp(logits.softmax(dim=1))


def _agreeing_copy(classifier: Classifier, precision: str) -> GradientModel | None:
    """The quickest copy that can be made and whose gradients agree with the original's.

    Want of memory is raised: it must not decide which form serves.
    """
    dtype, least = COPIES[precision]
    images = noise(classifier, 2)
    for form in _quickest_first(classifier.device):
        try:
            model = form(optimized_copy(classifier, dtype))
            ours = _gradient(model, images).flatten(1)
            theirs = _gradient(AutogradModel(classifier), images).flatten(1)
        except Exception as error:  # a person's module may fail in any way in another type or form
            if is_out_of_memory(error):
                raise
            _LOGGER.info("no %s copy of %s", precision, classifier.name, exc_info=True)
            continue
        if _agreement(ours, theirs) >= least:
            return model
    return None


def _agreement(ours: Tensor, theirs: Tensor) -> float:
    """The least cosine of the gradients [N, D]; torch alone would say 0 of tiny ones."""
    one, other = (each / each.abs().amax(dim=1, keepdim=True) for each in (ours, theirs))
    return float(nn.functional.cosine_similarity(one, other).min())


def _quickest_first(device: torch.device) -> tuple[Callable[[Classifier], GradientModel], ...]:
    """The forms of an optimized copy on ``device``; each serves where none before it does."""
    if device.type == "cpu":
        return TapeModel, _eager
    return (_compiled, _eager) if COMPILE.value else (_eager,)


def _eager(optimized: Classifier) -> GradientModel:
    return AutogradModel(with_channels_last(optimized))


def _compiled(optimized: Classifier) -> GradientModel:
    network = with_channels_last(optimized)
    return AutogradModel(network, CompiledForward(network))
