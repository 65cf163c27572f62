"""Loaded classifiers, shared by everybody who asks: small ones stay, large ones only while there is room for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch

from explorer.classifiers.classifier import Classifier
from explorer.classifiers.loading import load
from explorer.system import free_memory

LARGE = 32 * 2**20  # bytes of weights
MOST_SMALL = 12
# The weights, a climbing copy with its packed convolutions (1.5 times as much), activations with their gradients, and the state dict
# while it is read.
NEED = 5.0  # times the weights
RESERVE = 2**30  # bytes left for everything else


@dataclass(frozen=True)
class LoadedModel:
    """A classifier in memory: ``bytes`` of its weights and buffers."""

    name: str
    title: str
    device: str
    bytes: int

    @property
    def large(self) -> bool:
        return self.bytes > LARGE


def weight_bytes(classifier: Classifier) -> int:
    """Bytes of a classifier's weights and buffers."""
    return sum(
        tensor.numel() * tensor.element_size() for tensor in classifier.module.state_dict().values()
    )


class ModelCache:
    """Classifiers by name, each loaded once. The least recently asked for makes room; whoever still uses it may go on."""

    def __init__(
        self,
        loader: Callable[[str], Classifier] = load,
        room: Callable[[torch.device], int] = free_memory,
    ) -> None:
        self._loader, self._room = loader, room
        self._kept: dict[str, Classifier] = {}  # in the order in which they were last asked for
        self._bytes: dict[str, int] = {}
        self._versions: dict[str, Hashable] = {}
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def get(self, name: str, expected: int | None = None, version: Hashable = None) -> Classifier:
        """The classifier, loaded where it is not yet here in this ``version`` (which file, and of when, say). ``expected`` is the size of
        its weights file, where known: room for a large one is made before it is read. Raises
        :class:`~explorer.classifiers.ClassifierError`."""
        with self._lock:
            if self._versions.get(name, version) != version:
                self._drop(name)
            if name in self._kept:
                self._kept[name] = self._kept.pop(name)
                return self._kept[name]
            turn = self._loading.setdefault(name, threading.Lock())
        with turn:  # others wait for this one classifier only
            with self._lock:
                if name in self._kept:
                    return self._kept[name]
                if expected is not None and expected > LARGE:
                    self._make_room(self.device(), NEED * expected)
            made = self._loader(name)
            with self._lock:
                self._put(name, made, room_made=expected is not None)
                self._versions[name] = version
                self._loading.pop(name, None)
        return made

    def loaded(self) -> tuple[LoadedModel, ...]:
        """What is in memory, the most recently asked for first."""
        with self._lock:
            return tuple(self._entry(name) for name in reversed(self._kept))

    @staticmethod
    def device() -> torch.device:
        """Where classifiers are loaded by default."""
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

    def forget(self, name: str) -> None:
        """Let go of a classifier, whose weights have changed or are to be removed."""
        with self._lock:
            self._drop(name)

    def _put(self, name: str, made: Classifier, room_made: bool) -> None:
        size = weight_bytes(made)
        if size > LARGE:
            if not room_made:
                self._make_room(made.device, (NEED - 1) * size)
        else:
            small = [other for other in self._kept if self._bytes[other] <= LARGE]
            for other in small[: max(0, len(small) + 1 - MOST_SMALL)]:
                self._drop(other)
        self._kept[name], self._bytes[name] = made, size

    def _make_room(self, device: torch.device, need: float) -> None:
        """Let go of large classifiers on ``device``, the longest unused first, until ``need`` bytes are free or none is left."""
        large = [
            name
            for name, each in self._kept.items()
            if self._bytes[name] > LARGE and each.device == device
        ]
        while large and self._room(device) < need + RESERVE:
            self._drop(large.pop(0))
            if device.type == "cuda":
                torch.cuda.empty_cache()

    def _drop(self, name: str) -> None:
        self._kept.pop(name, None)
        self._bytes.pop(name, None)
        self._versions.pop(name, None)

    def _entry(self, name: str) -> LoadedModel:
        made = self._kept[name]
        return LoadedModel(name, made.title, str(made.device), self._bytes[name])
