"""Loaded classifiers, shared by all sessions. Large ones stay only while there is memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch

from explorer.classifiers.classifier import Classifier
from explorer.classifiers.devices import AUTO, resolve_device
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.loading import load
from explorer.system import free_memory

LARGE_MODEL = 32 * 2**20  # bytes of weights
MAX_SMALL_MODELS = 12
# What a classifier takes, as a multiple of its weights: the weights, an optimized copy with packed
# convolutions (1.5 times as much), activations with their gradients, and the state dict while it
# is read.
MEMORY_FACTOR = 5.0
RESERVED = 2**30  # bytes left for everything else, as long as a classifier can be dropped for that


@dataclass(frozen=True)
class LoadedModel:
    """A classifier in memory; ``bytes`` of its weights and buffers."""

    name: str
    title: str
    device: str
    bytes: int


def weight_bytes(classifier: Classifier) -> int:
    """Bytes of a classifier's weights and buffers."""
    tensors = classifier.module.state_dict().values()
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


class ModelCache:
    """Classifiers by name, each loaded once; the least recently used are dropped first.

    A session that still uses a dropped classifier keeps it. Safe to use from several threads.
    """

    def __init__(
        self,
        loader: Callable[[str], Classifier] = load,
        free_memory: Callable[[torch.device], int] = free_memory,
    ) -> None:
        self._loader, self._free_memory = loader, free_memory
        self._models: dict[str, Classifier] = {}  # the least recently used comes first
        self._bytes: dict[str, int] = {}
        self._versions: dict[str, Hashable] = {}
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def get(
        self,
        name: str,
        expected: int | None = None,
        version: Hashable = None,
        loader: Callable[[], Classifier] | None = None,
    ) -> Classifier:
        """The classifier of that name, loaded unless this ``version`` of it is in memory.

        ``version`` says which file it comes from, and of when. ``expected`` is the size of that
        file in bytes, if known: memory for a large classifier is then freed before the file is
        read. ``loader`` reads a classifier that the cache's own loader does not know by its name.
        Raises :class:`~explorer.classifiers.ClassifierError`, also when there is not enough memory.
        """
        with self._lock:
            if self._versions.get(name, version) != version:
                self._drop(name)
            if name in self._models:
                self._models[name] = self._models.pop(name)
                return self._models[name]
            loading = self._loading.setdefault(name, threading.Lock())
        with loading:  # other threads wait for this classifier only
            with self._lock:
                if name in self._models and self._versions[name] == version:
                    return self._models[name]
            if expected is not None:
                self.make_room(expected)
            classifier = loader() if loader is not None else self._loader(name)
            with self._lock:
                self._put(name, classifier, room_made=expected is not None)
                self._versions[name] = version
                self._loading.pop(name, None)
        return classifier

    def make_room(self, size: int) -> None:
        """Free memory for a classifier with that many bytes of weights, and for an attack on it.

        Raises :class:`~explorer.classifiers.ClassifierError` when there is not enough: the system
        would end the whole process in the middle of loading.
        """
        if size <= LARGE_MODEL:
            return
        need = MEMORY_FACTOR * size
        with self._lock:
            free = self._make_room(self.device(), need)
        if free < need:
            raise ClassifierError(
                f"there is not enough memory for this classifier: it needs {need / 1e9:.1f} GB and "
                f"{free / 1e9:.1f} GB are free; choose a smaller one or end other programs"
            )

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The classifiers in memory, the most recently used first."""
        with self._lock:
            return tuple(
                LoadedModel(name, model.title, str(model.device), self._bytes[name])
                for name, model in reversed(self._models.items())
            )

    @staticmethod
    def device() -> torch.device:
        """The device on which classifiers are loaded."""
        device = resolve_device(AUTO)
        return device if device.type == "cpu" else torch.device(device.type, 0)

    def forget(self, name: str) -> None:
        """Drop a classifier, because its weights have changed or will be removed."""
        with self._lock:
            self._drop(name)

    def _put(self, name: str, classifier: Classifier, room_made: bool) -> None:
        size = weight_bytes(classifier)
        if size > LARGE_MODEL:
            if not room_made:
                self._make_room(classifier.device, (MEMORY_FACTOR - 1) * size)
        else:
            small = [other for other in self._models if self._bytes[other] <= LARGE_MODEL]
            for other in small[: max(0, len(small) + 1 - MAX_SMALL_MODELS)]:
                self._drop(other)
        self._models[name], self._bytes[name] = classifier, size

    def _make_room(self, device: torch.device, need: float) -> int:
        """Drop large classifiers on ``device`` until ``need`` bytes are free or none is left.

        The least recently used goes first. Returns how many bytes are free.
        """
        large = [
            name
            for name, model in self._models.items()
            if self._bytes[name] > LARGE_MODEL and model.device == device
        ]
        while (free := self._free_memory(device)) < need + RESERVED and large:
            self._drop(large.pop(0))
            if device.type == "cuda":
                torch.cuda.empty_cache()
        return free

    def _drop(self, name: str) -> None:
        self._models.pop(name, None)
        self._bytes.pop(name, None)
        self._versions.pop(name, None)
