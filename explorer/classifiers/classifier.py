"""A network together with what is needed to ask it about pixels."""

from __future__ import annotations

import difflib
import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor, nn

from explorer.errors import UserError

NO_SHIFT, NO_SCALE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_HOOKING = threading.Lock()  # a hook is visible to every thread that runs the module


class ClassifierError(UserError):
    """A classifier that can't be found, loaded or used."""


class Classifier(nn.Module):
    """A module from pixels, float32 [N, 3, H, W] in [0, 1], to logits, float32 [N, C].

    It normalises the pixels itself, so that it goes as it is into torchattacks, Foolbox, ART,
    Captum and ``torch.export``. ``module`` takes (pixels − ``mean``) / ``std``, in the type of its
    own weights, and returns logits for the C ``labels``. Its type, memory format and mode stay as
    they are.

    ``input_size`` is (height, width) of the crop that the network takes. ``resize`` is the length
    that the shorter side of a photograph is brought to before that crop (None: the larger side of
    the input), by ``interpolation``, "bilinear" or "bicubic". ``gallery`` names the sample pictures
    that suit it: "cifar10", "imagenet" or "tiny12". Raises :class:`ClassifierError` for a mean, a
    std or labels that can't be used.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(
        self,
        module: nn.Module,
        *,
        labels: Sequence[str],
        input_size: tuple[int, int],
        mean: Sequence[float] = NO_SHIFT,
        std: Sequence[float] = NO_SCALE,
        resize: int | None = None,
        interpolation: str = "bilinear",
        name: str = "custom",
        title: str | None = None,
        gallery: str = "imagenet",
        robust: bool = False,
    ) -> None:
        super().__init__()
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ClassifierError(
                "mean and std must be three numbers each, one per colour, and std above 0"
            )
        if len(labels) < 2:
            raise ClassifierError(f"a classifier needs at least two labels; {len(labels)} given")
        self.module = module
        self.training = module.training
        self.labels = tuple(str(label) for label in labels)
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.resize, self.interpolation = resize, interpolation
        self.name, self.title = name, title or name
        self.gallery, self.robust = gallery, robust
        self.mean = tuple(float(value) for value in mean)
        self.std = tuple(float(value) for value in std)
        # Not part of the state dict: that is the module's own, whatever its normalisation.
        for buffer, values in (("_mean", self.mean), ("_std", self.std)):
            tensor = torch.tensor(values, dtype=torch.float32, device=_device(module))
            self.register_buffer(buffer, tensor.view(1, 3, 1, 1), persistent=False)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self._mean.device

    def extra_repr(self) -> str:
        return f"{self.name!r}, {len(self.labels)} classes, input {self.input_size}, {self.device}"

    def forward(self, images: Tensor) -> Tensor:
        """Logits float32 [N, C] for pixels [N, 3, H, W]; differentiable when the module is.

        Raises :class:`ClassifierError` where the module returns anything else.
        """
        logits = self.module(self.normalised(images))
        classes = len(self.labels)
        if not isinstance(logits, Tensor) or logits.dim() != 2 or logits.shape[1] != classes:
            got = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ClassifierError(
                f"{self.name} returned {got} for {len(images)} images; its {classes} labels ask "
                f"for [{len(images)}, {classes}]"
            )
        return logits.float()

    def normalised(self, images: Tensor) -> Tensor:
        """What the module takes for pixels ``images`` [N, 3, H, W]."""
        centred = images - self._mean
        scaled = centred if self.std == NO_SCALE else centred / self._std
        if scaled.requires_grad and torch.is_grad_enabled():
            # Other libraries view the gradient of the image as rows, which a channels-last one
            # does not allow.
            scaled.register_hook(torch.Tensor.contiguous)
        return scaled.to(_dtype(self.module))

    def unnormalised_gradient(self, gradient: Tensor) -> Tensor:
        """The gradient for pixels, from the one for what the module takes."""
        return gradient if self.std == NO_SCALE else gradient / self._std

    def features(self, images: Tensor) -> Tensor:
        """Penultimate activations, float32 [N, D]: g of Ilyas et al. 2019, eq. 6.

        They come from the module's own ``features`` method if it has one (a plain method, not a
        sub-module); else they are the input of its last linear layer; else, in a fully
        convolutional network such as SqueezeNet, the input of the last convolution that makes the
        logits, averaged over positions. Raises :class:`ClassifierError` where none of these exists.
        """
        normalised = self.normalised(images)
        if has_features(self.module):
            own: Tensor = torch.as_tensor(self.module.features(normalised))  # type: ignore[operator]
            return own.flatten(1).float()
        head, inputs = self.head(), list[Tensor]()
        with _HOOKING:
            handle = head.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
            try:
                self.module(normalised)
            finally:
                handle.remove()
        last = inputs[0]
        return (last.mean(dim=(2, 3)) if isinstance(head, nn.Conv2d) else last).flatten(1).float()

    def head(self) -> nn.Linear | nn.Conv2d:
        """The layer that makes the logits. Raises :class:`ClassifierError` where none is known."""
        parts = list(self.module.modules())
        heads: list[nn.Linear | nn.Conv2d] = [part for part in parts if isinstance(part, nn.Linear)]
        classes = len(self.labels)
        heads = heads or [
            part for part in parts if isinstance(part, nn.Conv2d) and part.out_channels == classes
        ]
        if not heads:
            raise ClassifierError(
                f"{self.name} has no linear layer, nor a last convolution, whose input could serve "
                "as features"
            )
        return heads[-1]

    def with_module(
        self,
        module: nn.Module,
        name: str | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> Classifier:
        """The same classifier around another module, if given with another name or normalisation."""
        return Classifier(
            module,
            labels=self.labels,
            input_size=self.input_size,
            mean=mean or self.mean,
            std=std or self.std,
            resize=self.resize,
            interpolation=self.interpolation,
            name=name or self.name,
            title=self.title,
            gallery=self.gallery,
            robust=self.robust,
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights (names, types, shapes, bytes), whatever file they came from."""
        digest = hashlib.sha256()
        for name, value in sorted(self.module.state_dict().items()):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            raw = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
            digest.update(raw.numpy().tobytes())
        return digest.hexdigest()

    def find_label(self, text: str | int) -> int:
        """The index of a class, given as its name (letter case aside) or its index.

        Raises :class:`ClassifierError`, with the nearest names, where no class or several match.
        """
        wanted = str(text).strip()
        folded = [label.casefold() for label in self.labels]
        matches = [index for index, label in enumerate(folded) if label == wanted.casefold()]
        if len(matches) == 1:
            return matches[0]
        if len(matches) > 1:
            numbers = " and ".join(map(str, matches))
            raise ClassifierError(f"{wanted!r} names the classes {numbers}; give the number")
        if wanted.isdecimal():
            if int(wanted) < len(self.labels):
                return int(wanted)
            last = len(self.labels) - 1
            raise ClassifierError(f"{self.name} has classes 0 to {last}; there is no {wanted}")
        raise ClassifierError(f"{self.name} has no class {wanted!r}; {self._label_hint(wanted)}")

    def _label_hint(self, wanted: str) -> str:
        by_fold = {label.casefold(): label for label in self.labels}
        near = [label for fold, label in by_fold.items() if wanted and wanted.casefold() in fold][
            :3
        ]
        near += [by_fold[f] for f in difflib.get_close_matches(wanted.casefold(), by_fold, n=3)]
        if near:
            return f"did you mean {' or '.join(dict.fromkeys(near))}?"
        return f"for example {', '.join(self.labels[:3])}"


def has_features(module: nn.Module) -> bool:
    """Whether a module has a ``features`` method of its own, not a sub-module of that name."""
    own = getattr(module, "features", None)
    return callable(own) and not isinstance(own, nn.Module)


def freeze(module: nn.Module, device: torch.device) -> nn.Module:
    """One of our networks for attacks: evaluation mode, no weight gradients, channels last."""
    return module.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)


def resolve_device(device: str) -> torch.device:
    """The device of that name; "auto" is the GPU where there is one.

    Raises :class:`ClassifierError` for a device that this machine does not have.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise ClassifierError(f"unknown device {device!r}; use auto, cpu or cuda") from None
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ClassifierError(
            "this machine has no CUDA device that torch can use; use --device cpu or auto"
        )
    return resolved


def _device(module: nn.Module) -> torch.device:
    tensor = next(module.parameters(), None)
    return torch.device("cpu") if tensor is None else tensor.device


def _dtype(module: nn.Module) -> torch.dtype:
    """The type of a module's weights, which its input must have too."""
    tensor = next(module.parameters(), None)
    return tensor.dtype if tensor is not None and tensor.is_floating_point() else torch.float32
