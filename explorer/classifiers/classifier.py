"""``Classifier``: a network from pixels to logits, with its normalisation and its labels."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from explorer.classifiers.arguments import (
    check_preprocessing,
    check_text,
    checked_choice,
    checked_input_size,
    checked_labels,
    checked_normalisation,
)
from explorer.classifiers.class_labels import Labels, find_label
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.outputs import (
    LOGITS,
    OUTPUTS,
    PROBABILITIES,
    log_probabilities,
    logits_in,
)
from explorer.classifiers.pixels import as_pixels
from explorer.classifiers.weights_version import weights_version

RGB = tuple[float, float, float]

_CHANNELS = {
    1: "takes grey images [N, 1, H, W]; these have three colours",
    3: "takes images [N, 3, H, W] in colour; these are grey: use images.expand(-1, 3, -1, -1)",
}
_HOOKING = threading.Lock()  # a hook is visible to every thread that runs the module


class Classifier(nn.Module):
    """A module from pixels, float32 [N, 3, H, W] in [0, 1], to logits, float32 [N, C].

    It normalises the pixels itself, so that it goes as it is into torchattacks, Foolbox, ART,
    Captum and ``torch.export``. ``module`` takes (pixels − ``mean``) / ``std`` in the dtype of its
    weights and returns logits for the C ``labels``: a tensor, or a dictionary, tuple or object that
    holds it (:func:`~explorer.classifiers.outputs.logits_in`). With ``outputs="probabilities"`` it
    returns those, and the classifier their logarithms. Its dtype, memory format and mode stay as
    they are; attacks and predictions run it in evaluation mode and then restore its mode.

    ``labels`` are the names in the order of the classes, a dictionary from each index to a name, or
    the path of a file with either. ``channels`` is 3 for colour and 1 for grey images [N, 1, H, W];
    by default it is the number of values in ``mean`` and ``std``.

    ``input_size`` is (height, width) of the crop that the network takes. A photograph is first
    resized until its shorter side is ``resize`` pixels long (None: the larger side of
    ``input_size``), with ``interpolation`` "bilinear" or "bicubic". ``gallery`` names the sample
    pictures that suit the classifier: "cifar10", "imagenet" or "tiny12". Raises
    :class:`ClassifierError` for arguments that can't be used.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(
        self,
        module: nn.Module,
        *,
        labels: Labels,
        input_size: tuple[int, int],
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        channels: int | None = None,
        resize: int | None = None,
        interpolation: str = "bilinear",
        name: str = "custom",
        title: str | None = None,
        gallery: str = "imagenet",
        robust: bool = False,
        outputs: str = LOGITS,
    ) -> None:
        super().__init__()
        self.labels = checked_labels(labels)
        self.input_size = checked_input_size(input_size)
        self.mean, self.std = checked_normalisation(mean, std, channels)
        self.outputs = checked_choice("outputs", outputs, OUTPUTS)
        check_preprocessing(self.input_size, resize, interpolation)
        check_text(name=name, title=name if title is None else title)
        self.module = module
        self.training = module.training
        self.resize, self.interpolation = resize, interpolation
        self.name, self.title = name, title or name
        self.gallery, self.robust = gallery, robust
        self.notes: tuple[str, ...] = ()  # what a person who uses it should know
        self._digest: tuple[Hashable, str] | None = None
        self._put_normalisation(_device(module))

    def _put_normalisation(self, device: torch.device) -> None:
        # It is not in the state dict, which holds the module's weights alone.
        for buffer, values in (("_mean", self.mean), ("_std", self.std)):
            tensor = torch.tensor(values, dtype=torch.float32, device=device)
            self.register_buffer(buffer, tensor.view(1, -1, 1, 1), persistent=False)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self._mean.device

    @property
    def channels(self) -> int:
        """3 for colour, 1 for grey images."""
        return len(self.mean)

    @property
    def has_scale(self) -> bool:
        """Whether the normalisation divides by anything but 1."""
        return any(value != 1 for value in self.std)

    def extra_repr(self) -> str:
        return f"{self.name!r}, {len(self.labels)} classes, input {self.input_size}, {self.device}"

    def forward(self, images: Tensor) -> Tensor:
        """Logits float32 [N, C] for pixels [N, C, H, W], differentiable where the module is.

        Raises :class:`ClassifierError` when the module returns anything else than [N, C].
        """
        return self.logits_from(self.module_outputs(images))

    def logits_from(self, outputs: Tensor) -> Tensor:
        """Logits from :meth:`module_outputs`."""
        return log_probabilities(outputs) if self.outputs == PROBABILITIES else outputs

    def module_outputs(self, images: Tensor) -> Tensor:
        """What the module itself returns, float32 [N, C]: logits or probabilities."""
        normalised = self.normalised(images)
        count = normalised.shape[0]  # len() would fix the batch size of an exported program
        return logits_in(self.module(normalised), count, len(self.labels), self.name).float()

    def normalised(self, images: Tensor) -> Tensor:
        """The module's input for pixels ``images`` [N, C, H, W], in the dtype of its weights.

        Raises :class:`ClassifierError` for another shape, and for integers.
        """
        pixels = as_pixels(images)
        if pixels.shape[1] != self.channels:
            raise ClassifierError(f"{self.name} {_CHANNELS[self.channels]}")
        centred = pixels - self._mean
        scaled = centred / self._std if self.has_scale else centred
        if scaled.requires_grad and torch.is_grad_enabled():
            # Other libraries flatten the image's gradient with view(), which a channels-last
            # gradient does not allow.
            scaled.register_hook(torch.Tensor.contiguous)
        return scaled.to(weight_dtype(self.module))

    def unnormalised_gradient(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to pixels, from that with respect to :meth:`normalised`."""
        return gradient / self._std if self.has_scale else gradient

    def features(self, images: Tensor) -> Tensor:
        """Penultimate activations, float32 [N, D]: g of Ilyas et al. 2019, eq. 6.

        They are the output of the module's ``features`` method, if it has such a method (and not a
        sub-module of that name); else the input of its last linear layer; else, in a fully
        convolutional network such as SqueezeNet, the input of the last convolution with C outputs,
        averaged over positions. Raises :class:`ClassifierError` when none of these exists.
        """
        normalised = self.normalised(images)
        if has_features(self.module):
            output: Tensor = torch.as_tensor(self.module.features(normalised))  # type: ignore[operator]
            return output.flatten(1).float()
        head, inputs = self.head(), list[Tensor]()
        with _HOOKING:
            handle = head.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
            try:
                self.module(normalised)
            finally:
                handle.remove()
        features = inputs[0].mean(dim=(2, 3)) if isinstance(head, nn.Conv2d) else inputs[0]
        return features.flatten(1).float()

    def head(self) -> nn.Linear | nn.Conv2d:
        """The layer whose output is the logits: see :meth:`features`.

        Raises :class:`ClassifierError` when there is no linear layer and no such convolution.
        """
        parts = list(self.module.modules())
        heads: list[nn.Linear | nn.Conv2d] = [part for part in parts if isinstance(part, nn.Linear)]
        classes = len(self.labels)
        heads = heads or [
            part for part in parts if isinstance(part, nn.Conv2d) and part.out_channels == classes
        ]
        if not heads:
            raise ClassifierError(
                f"{self.name} has no linear layer, nor a last convolution, whose input could serve "
                "as features; choose another classifier"
            )
        return heads[-1]

    def with_module(self, module: nn.Module, std: Sequence[float] | None = None) -> Classifier:
        """The same classifier around ``module``, with another ``std`` if given."""
        return Classifier(
            module,
            labels=self.labels,
            input_size=self.input_size,
            mean=self.mean,
            std=std or self.std,
            resize=self.resize,
            interpolation=self.interpolation,
            name=self.name,
            title=self.title,
            gallery=self.gallery,
            robust=self.robust,
            outputs=self.outputs,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the weights (names, dtypes, shapes, bytes), whatever file they came from.

        It is computed again only after a weight was replaced or changed in place.
        """
        version = weights_version(self.module)
        if self._digest is None or self._digest[0] != version:
            self._digest = version, _weights_digest(self.module.state_dict())
        return self._digest[1]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._digest = None  # .to() and its kind may put new weights where old ones were
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self._mean.dtype != torch.float32:  # rounded to the weights' type it would be another
            self._put_normalisation(self._mean.device)
        return self

    def find_label(self, text: str | int) -> int:
        """The index of the class that ``text`` names: its label in any letter case, or its index.

        Raises :class:`ClassifierError`, with the nearest labels, when no class or several match.
        """
        return find_label(str(text), self.labels, self.name)


def has_features(module: nn.Module) -> bool:
    """Whether ``module`` has a ``features`` method, not merely a sub-module of that name."""
    features = getattr(module, "features", None)
    return callable(features) and not isinstance(features, nn.Module)


def freeze(module: nn.Module, device: torch.device) -> nn.Module:
    """``module`` in evaluation mode on ``device``, channels last, without weight gradients.

    For networks built by the explorer: those that a person's function returns keep their memory
    format.
    """
    return module.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)


def _device(module: nn.Module) -> torch.device:
    tensor = next(module.parameters(), None)
    return torch.device("cpu") if tensor is None else tensor.device


def weight_dtype(module: nn.Module) -> torch.dtype:
    """The dtype of a module's weights, which its input must have too."""
    tensor = next(module.parameters(), None)
    return tensor.dtype if tensor is not None and tensor.is_floating_point() else torch.float32


def _weights_digest(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        raw = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
        digest.update(raw.numpy().tobytes())
    return digest.hexdigest()
