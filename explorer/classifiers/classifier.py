"""A network together with what is needed to ask it about pixels."""

from __future__ import annotations

import difflib
import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor, nn


class ClassifierError(ValueError):
    """A classifier that can't be found, loaded or used; the message says what is wrong and what to do."""


class Classifier:
    """Takes pixels, float32 [N, 3, H, W] in [0, 1]; returns logits, float32 [N, C]; owns its normalisation.

    ``module`` takes (pixels − ``mean``) / ``std`` and returns logits for the C ``labels``. ``input_size`` is (height, width) of
    the crop the network sees, ``resize`` the length the shorter side of a photograph is brought to before that crop (the
    larger of the input's sides when None), by ``interpolation``, "bilinear" or "bicubic". ``gallery``
    names the samples that suit it: "cifar10" or "imagenet".
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        labels: Sequence[str],
        input_size: tuple[int, int],
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        resize: int | None = None,
        interpolation: str = "bilinear",
        name: str = "custom",
        title: str | None = None,
        gallery: str = "imagenet",
        robust: bool = False,
    ) -> None:
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ClassifierError("mean and std must be three numbers each, one per colour, and std above 0")
        if len(labels) < 2:
            raise ClassifierError(f"a classifier needs at least two labels; {len(labels)} given")
        self.module = module
        self.labels = tuple(str(label) for label in labels)
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.resize, self.interpolation, self.name, self.title = resize, interpolation, name, title or name
        self.gallery, self.robust = gallery, robust
        parameter = next(module.parameters(), None)
        self.device = parameter.device if parameter is not None else torch.device("cpu")
        self.mean, self.std = tuple(float(value) for value in mean), tuple(float(value) for value in std)
        self._mean = torch.tensor(self.mean, dtype=torch.float32, device=self.device).view(1, 3, 1, 1)
        self._std = torch.tensor(self.std, dtype=torch.float32, device=self.device).view(1, 3, 1, 1)
        self._tap = threading.Lock()

    def __repr__(self) -> str:
        return f"Classifier({self.name!r}, {len(self.labels)} classes, input {self.input_size}, {self.device})"

    def __call__(self, images: Tensor) -> Tensor:
        """Logits float32 [N, C] for pixels [N, 3, H, W]; differentiable when the module is."""
        logits = self.module(self.normalised(images))
        if not isinstance(logits, Tensor) or logits.dim() != 2 or logits.shape[1] != len(self.labels):
            got = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ClassifierError(
                f"{self.name} returned {got} for {len(images)} images; its {len(self.labels)} labels ask for "
                f"[{len(images)}, {len(self.labels)}]"
            )
        return logits.float()

    def normalised(self, images: Tensor) -> Tensor:
        """What the module is given for pixels ``images``."""
        centred = images - self._mean
        return centred if self.std == (1.0, 1.0, 1.0) else centred / self._std

    def unnormalised_gradient(self, gradient: Tensor) -> Tensor:
        """The gradient for pixels, from the one for what the module is given."""
        return gradient if self.std == (1.0, 1.0, 1.0) else gradient / self._std

    def features(self, images: Tensor) -> Tensor:
        """Penultimate activations [N, D]: the representation g of Ilyas et al. 2019, eq. 6.

        The module's own ``features`` method where it has one (a plain method, not a sub-module); else what its last linear
        layer is given; else, in a fully convolutional network such as SqueezeNet, what the last convolution that makes the logits
        is given, averaged over positions. Raises :class:`ClassifierError` when it has none of these.
        """
        normalised = self.normalised(images)
        own = getattr(self.module, "features", None)
        if callable(own) and not isinstance(own, nn.Module):
            return torch.as_tensor(own(normalised)).flatten(1).float()
        head, seen = self.head(), list[Tensor]()
        with self._tap:  # a hook is visible to every thread that runs the module
            handle = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
            try:
                self.module(normalised)
            finally:
                handle.remove()
        given = seen[0].mean(dim=(2, 3)) if isinstance(head, nn.Conv2d) else seen[0]
        return given.flatten(1).float()

    def head(self) -> nn.Linear | nn.Conv2d:
        """The layer that makes the logits. Raises :class:`ClassifierError` when it has none that can be known."""
        parts = list(self.module.modules())
        heads: list[nn.Linear | nn.Conv2d] = [part for part in parts if isinstance(part, nn.Linear)]
        heads = heads or [part for part in parts if isinstance(part, nn.Conv2d) and part.out_channels == len(self.labels)]
        if not heads:
            raise ClassifierError(f"{self.name} has no linear layer, nor a last convolution, whose input could serve as features")
        return heads[-1]

    def with_module(
        self, module: nn.Module, name: str | None = None, mean: Sequence[float] | None = None, std: Sequence[float] | None = None
    ) -> Classifier:
        """The same classifier around another module, under another name or with another normalisation if given."""
        return Classifier(
            module, labels=self.labels, input_size=self.input_size, mean=mean or self.mean, std=std or self.std,
            resize=self.resize, interpolation=self.interpolation, name=name or self.name,
            title=self.title, gallery=self.gallery, robust=self.robust,
        )  # fmt: skip

    def moved(self, device: torch.device, name: str) -> Classifier:
        """The same classifier with its module on ``device`` (moved in place), under another name."""
        return self.with_module(self.module.to(device), name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights: names, types, shapes and bytes, whatever file they came from."""
        digest = hashlib.sha256()
        for name, value in sorted(self.module.state_dict().items()):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def find_label(self, text: str | int) -> int:
        """The index of a class given as its name (letter case aside) or its index.

        Raises :class:`ClassifierError`, naming the nearest names, when there is no such class, or several.
        """
        wanted = str(text).strip()
        matches = [i for i, label in enumerate(self.labels) if label.casefold() == wanted.casefold()]
        if len(matches) == 1:
            return matches[0]
        if len(matches) > 1:
            raise ClassifierError(f"{wanted!r} names the classes {' and '.join(map(str, matches))}; give the number")
        if wanted.isdecimal():
            if int(wanted) < len(self.labels):
                return int(wanted)
            raise ClassifierError(f"{self.name} has classes 0 to {len(self.labels) - 1}; there is no {wanted}")
        by_fold = {label.casefold(): label for label in self.labels}
        near = [label for fold, label in by_fold.items() if wanted and wanted.casefold() in fold][:3]
        near += [by_fold[fold] for fold in difflib.get_close_matches(wanted.casefold(), by_fold, n=3)]
        hint = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"for example {', '.join(self.labels[:3])}"
        raise ClassifierError(f"{self.name} has no class {wanted!r}; {hint}")
