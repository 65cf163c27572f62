"""Models that belong to one session of a public server: within limits, and gone when it ends."""

from __future__ import annotations

import threading
import weakref
from contextlib import ExitStack
from pathlib import Path

from explorer.classifiers.classifier import Classifier
from explorer.classifiers.entry import SESSION_GROUP, Entry
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import (
    Admit,
    UserModels,
    check_name,
    machine_models,
    try_out,
)
from explorer.errors import count_of
from explorer.files import cache_folder, is_disk_full
from explorer.leftovers import temporary_folder
from explorer.sandbox.process import Cancel
from explorer.settings import INPUT_PIXELS, SERVER_MODELS_MB, SESSION_MODELS, SESSION_MODELS_MB

# ImageNet-21k has 21,841. The names of 100,000 classes took a page a minute, and others waited.
MAX_CLASSES = 25_000
MB = 2**20  # bytes, as in the limits of uploads


class _Total:
    """The bytes of all sessions' models in this process."""

    def __init__(self) -> None:
        self._bytes, self._lock = 0, threading.Lock()

    def take(self, size: int) -> None:
        """Raises :class:`ClassifierError` when all models together would pass the limit."""
        limit = SERVER_MODELS_MB.value
        with self._lock:
            left = limit * MB - self._bytes
            if size > left:
                raise ClassifierError(
                    f"these weights take {_mb(size)}, and of the {limit} MB for the models of all "
                    f"visitors {_mb(left)} are left; add a smaller network, or try again later"
                )
            self._bytes += size

    def give_back(self, size: int) -> None:
        with self._lock:
            self._bytes -= size


_TOTAL = _Total()


class SessionModels:
    """The models of one session. Safe to use from several threads.

    They lie in a folder of their own, which is removed by :meth:`close` and at the end of the
    process. What a killed process left is removed when the next one adds a model.
    """

    def __init__(self, total: _Total = _TOTAL) -> None:
        self._total = total
        self._sizes: dict[str, int] = {}  # bytes of weights by name, from before they are stored
        self._models: UserModels | None = None
        self._closed = False
        self._lock = threading.RLock()
        self._cleanup = ExitStack()
        self._end = weakref.finalize(self, _end, self._cleanup, self._sizes, total)

    def entries(self) -> tuple[Entry, ...]:
        """The catalogue's lines for the models."""
        return self._models.entries() if self._models else ()

    def add(
        self,
        card: UserModelCard,
        weights: str | Path,
        admit: Admit,
        cancelled: Cancel | None = None,
    ) -> UserModelCard:
        """Store a model as :meth:`UserModels.add` does, if the limits of the settings allow it.

        Raises :class:`ClassifierError`, which says which limit is passed.
        """
        self.check(card)
        with ExitStack() as undo:

            def reserve(size: int) -> None:
                self._reserve(card, size)
                undo.callback(self._release, card.name)
                admit(size)

            card, classifier = try_out(card, weights, reserve, cancelled)
            with self._lock:
                self._store(card, classifier)
            undo.pop_all()
        return card

    def check(self, card: UserModelCard) -> None:
        """Raises :class:`ClassifierError` when the session may not add a model with this card."""
        largest, most = INPUT_PIXELS.value, SESSION_MODELS.value
        if card.input_size > largest:
            raise ClassifierError(
                f"on this server the input's side may be up to {largest} pixels; it is "
                f"{card.input_size}"
            )
        if len(card.labels) > MAX_CLASSES:
            raise ClassifierError(
                f"on this server a model may have up to {MAX_CLASSES:,} classes; this one has "
                f"{len(card.labels):,}"
            )
        check_name(card.name, (*self._sizes, *machine_models().cards()))
        if len(self._sizes) >= most:
            raise ClassifierError(
                f"on this server a visitor may have {count_of(most, 'model')} at a "
                "time; remove one first"
            )

    def remove(self, name: str) -> None:
        """Delete a model. Raises :class:`ClassifierError` when there is none of that name."""
        if self._models is None:
            raise ClassifierError(f"you have added no classifier {name}")
        self._models.remove(name)
        self._release(name)

    def close(self) -> None:
        """Delete all models; from then on none can be added."""
        with self._lock:
            self._closed = True
            self._models = None
            self._end()

    def _store(self, card: UserModelCard, classifier: Classifier) -> None:
        if self._closed:
            raise ClassifierError("your session has ended; reload the page")
        try:
            if self._models is None:
                parent = cache_folder() / "sessions"
                parent.mkdir(parents=True, exist_ok=True)
                folder = self._cleanup.enter_context(temporary_folder(parent))
                self._models = UserModels(folder, SESSION_GROUP)
            self._models.store(card, classifier)
        except OSError as error:
            reason = "its disk is full" if is_disk_full(error) else "it can't write its folder"
            raise ClassifierError(
                f"this server can't store the model: {reason}; tell the person who runs it"
            ) from None

    def _reserve(self, card: UserModelCard, size: int) -> None:
        limit = SESSION_MODELS_MB.value
        with self._lock:
            self.check(card)
            left = limit * MB - sum(self._sizes.values())
            if size > left:
                raise ClassifierError(
                    f"these weights take {_mb(size)}, and of the {limit} MB that a visitor may use "
                    f"on this server {_mb(left)} are left; add a smaller network"
                    + (", or remove a model first" if self._sizes else "")
                )
            self._total.take(size)
            self._sizes[card.name] = size

    def _release(self, name: str) -> None:
        with self._lock:
            self._total.give_back(self._sizes.pop(name, 0))


def _end(cleanup: ExitStack, sizes: dict[str, int], total: _Total) -> None:
    cleanup.close()
    total.give_back(sum(sizes.values()))
    sizes.clear()


def _mb(size: int) -> str:
    return f"{size / MB:.1f} MB"
