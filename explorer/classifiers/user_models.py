"""Classifiers that people add: state dicts for torchvision's architectures, with their cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save

from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.classifier import Classifier
from explorer.classifiers.entry import USER_GROUP, USER_PREFIX, Entry, own_data
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.isolated import read_isolated
from explorer.classifiers.trial import trial_run
from explorer.classifiers.user_functions import function_entries
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_network import build_user_model, network_bytes
from explorer.files import cache_folder, disk_error, new_folder, remove_folder, stat_file
from explorer.sandbox.process import Cancel

Admit = Callable[[int], None]  # raises a UserError if there is no room for so many bytes of weights
_WEIGHTS, _CARD = "weights.safetensors", "classifier.json"


def _admit_all(size: int) -> None: ...


@dataclass(frozen=True)
class UserModels:
    """The added models in ``folder``, which need not exist: a sub-folder for each.

    ``group`` is that of their entries in the catalogue.
    """

    folder: Path
    group: str = USER_GROUP

    def cards(self) -> dict[str, UserModelCard]:
        """The cards of the models by name; a card that can't be read is left out."""
        cards = {}
        for path in sorted(self.folder.glob(f"*/{_CARD}")):
            try:
                card = UserModelCard.read(path)
            except ClassifierError:
                continue
            if card.name == path.parent.name:
                cards[card.name] = card
        return cards

    def entries(self) -> tuple[Entry, ...]:
        """The catalogue's lines for the models whose weights are there."""
        entries = (self._entry(card) for card in self.cards().values())
        return tuple(entry for entry in entries if entry.available)

    def check(self, card: UserModelCard) -> None:
        """Raises :class:`ClassifierError` when another model has the card's name."""
        check_name(card.name, self.cards())

    def add(
        self,
        card: UserModelCard,
        weights: str | Path,
        admit: Admit = _admit_all,
        cancelled: Cancel | None = None,
    ) -> UserModelCard:
        """Store a model after a trial run, and return its card with labels and normalisation.

        ``admit`` is called with the size of the weights before the network is built; what it raises
        is passed on. Raises :class:`ClassifierError` when the file holds no weights, when they do
        not fit the architecture or the labels, and when they can't be stored, and
        :class:`~explorer.errors.Cancelled` when ``cancelled()`` returned true.
        """
        self.check(card)
        card, classifier = try_out(card, weights, admit, cancelled)
        try:
            self.store(card, classifier)
        except OSError as error:
            failure = disk_error(self.folder / card.name, error, "Nothing was added")
            raise ClassifierError(f"{failure}; EXPLORER_CACHE chooses another folder") from None
        return card

    def store(self, card: UserModelCard, classifier: Classifier) -> None:
        """Write the card, and the weights as safetensors.

        Raises :class:`ClassifierError` when the name is taken, and ``OSError``.
        """
        folder = self.folder / card.name
        state = {name: value.contiguous() for name, value in classifier.module.state_dict().items()}
        try:
            with new_folder(folder) as unfinished:
                (unfinished / _WEIGHTS).write_bytes(save(state))
                (unfinished / _CARD).write_text(card.to_json(), encoding="utf-8")
        except OSError:
            if folder.is_dir():
                raise name_taken(card.name) from None
            raise

    def remove(self, name: str) -> None:
        """Delete a model. Raises :class:`ClassifierError` when there is none of that name."""
        missing = ClassifierError(f"there is no classifier {USER_PREFIX}{name}")
        if name not in self.cards():
            raise missing
        folder = self.folder / name
        try:
            remove_folder(folder)
        except FileNotFoundError:  # another process was quicker
            raise missing from None
        except OSError as error:
            raise ClassifierError(
                f"can't remove {folder}: {error.strerror}; remove it by hand"
            ) from None

    def load(self, name: str, device: torch.device) -> Classifier:
        """The model of that name. Raises :class:`ClassifierError`."""
        cards = self.cards()
        if name not in cards:
            names = ", ".join(USER_PREFIX + each for each in cards) or "none"
            raise ClassifierError(
                f"there is no classifier {USER_PREFIX}{name} on this machine; those added are: "
                f"{names}"
            )
        return build_user_model(cards[name], read_checkpoint(self._weights(name)), device)

    def _weights(self, name: str) -> Path:
        return self.folder / name / _WEIGHTS

    def _entry(self, card: UserModelCard) -> Entry:
        path = self._weights(card.name)
        status = stat_file(path)
        return Entry(
            name=USER_PREFIX + card.name,
            title=card.name,
            data=own_data(len(card.labels), (card.input_size, card.input_size), len(card.mean)),
            training=card.training,
            robust=card.robust,
            parameters=None,
            bytes=None if status is None else status.st_size,
            accuracy=None,
            where=path,
            available=status is not None,
            group=self.group,
        )


def try_out(
    card: UserModelCard, weights: str | Path, admit: Admit, cancelled: Cancel | None
) -> tuple[UserModelCard, Classifier]:
    """The classifier after a trial run, and its card with labels and normalisation.

    Raises what :meth:`UserModels.add` does.
    """
    checkpoint = read_isolated(weights, cancelled)
    admit(network_bytes(card, checkpoint))
    classifier = build_user_model(card, checkpoint, torch.device("cpu"))
    mean, std = checkpoint.mean or card.mean, checkpoint.std or card.std
    if not bool(torch.isfinite(trial_run(classifier)).all()):
        raise ClassifierError(
            f"{card.architecture} with these weights returns values that are not finite; the "
            "weights are damaged: save or download them again"
        )
    return replace(card, labels=classifier.labels, mean=mean, std=std), classifier


def check_name(name: str, others: Iterable[str]) -> None:
    """Raise :class:`ClassifierError` if one of the ``others`` is ``name``, or differs in case only:
    it becomes a folder, and some disks don't distinguish them.
    """
    taken = next((each for each in others if each.casefold() == name.casefold()), None)
    if taken is not None:
        raise name_taken(taken)


def name_taken(name: str) -> ClassifierError:
    """The error for a name that another model has."""
    return ClassifierError(
        f"there is already a classifier named {name}; choose another name or remove that one first"
    )


def machine_models() -> UserModels:
    """The models that were added to this machine: ``classifiers`` in the cache folder."""
    return UserModels(cache_folder() / "classifiers")


def user_entries() -> tuple[Entry, ...]:
    """The catalogue's lines for this machine's added models, then for its Python functions."""
    return machine_models().entries() + function_entries()
