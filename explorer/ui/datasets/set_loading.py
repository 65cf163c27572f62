"""The sets that the page can open: samples, built here, bundled, CIFAR-10, or under a path."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import streamlit as st
import torch

from explorer.classifiers import Classifier
from explorer.classifiers.catalogue import BUNDLED_FOLDER
from explorer.classifiers.entry import SESSION_GROUP
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.read import ConstructedSet, read_set
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.datasets.sources import CIFAR10, read_source
from explorer.errors import UserError
from explorer.figures.set_words import SETS
from explorer.images.decode import ImageError
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess, to_uint8
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.datasets.cifar10 import cifar10_download, has_cifar10_folder, offers_cifar10
from explorer.ui.datasets.computed_sets import computed_set
from explorer.ui.datasets.loaded_set import LoadedSet
from explorer.ui.datasets.pair import ClassifierPair
from explorer.ui.datasets.session_set import as_constructed_set, session_sets
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.image_picker import gallery_picture, known_label
from explorer.ui.shared.mode import is_public
from explorer.ui.shared.picture import Picture

SAMPLES, CIFAR, OTHER = "D: the sample pictures", "D: CIFAR-10, test images", "a file or folder"
SESSION_PREFIX, BUNDLED_PREFIX = "made here: ", "bundled: "
COMPUTED_PREFIX = "from the samples: "
_PREFIXES = (SESSION_PREFIX, BUNDLED_PREFIX, COMPUTED_PREFIX)
BUNDLED_SETS = BUNDLED_FOLDER.parent / "sets"
_WORKER = "sets"  # not the device's worker: attacks need not wait until a large set is read
_MAX_IN_MEMORY = 4  # sets


class _ModelInput(NamedTuple):
    """All that the images and labels of a set depend on in a classifier."""

    gallery: str
    labels: tuple[str, ...]
    input_size: tuple[int, int]
    resize: int | None
    interpolation: str
    channels: int = 3  # the page shows its sets in colour


def _input_of(model: Classifier) -> _ModelInput:
    return _ModelInput(
        model.gallery, model.labels, model.input_size, model.resize, model.interpolation
    )


def set_choices(pair: ClassifierPair) -> list[str]:
    """The sets that can be opened with this pair: no path of this machine in public mode."""
    bundled = [f"{BUNDLED_PREFIX}{path.stem}" for path in sorted(BUNDLED_SETS.glob("*.parquet"))]
    built = [f"{SESSION_PREFIX}{SETS[name].short}" for name in session_sets(pair)]
    # Computed sets are stored for everybody, and a session's models belong to it alone.
    private = SESSION_GROUP in (pair.standard.group, pair.robust.group)
    names = () if private else CONSTRUCTIONS
    computed = [f"{COMPUTED_PREFIX}{SETS[name].short}" for name in names]
    cifar10 = [CIFAR] if offers_cifar10() else []
    other = [] if is_public() else [OTHER]
    return [SAMPLES, *built, *bundled, *computed, *cifar10, *other]


def load_named(choice: str, pair: ClassifierPair, place: str) -> LoadedSet | None:
    """The set of a :attr:`LoadedSet.choice`, None as by :func:`load_choice`, or if it is not
    offered here, which the page then says.
    """
    is_of_list = choice in set_choices(pair) or choice.startswith(_PREFIXES)
    is_path = not is_of_list and not is_public()
    try:
        return load_choice(OTHER if is_path else choice, choice, pair, place)
    except UserError as error:
        st.warning(sentence(str(error)))
        return None


def load_choice(
    choice: str, path: str, pair: ClassifierPair, place: str = "set"
) -> LoadedSet | None:
    """The chosen set. None while it is read, if it can't be read, which the page then says, or if
    ``path`` of :data:`OTHER` is empty. ``place`` is that of the job which reads it. Raises
    :class:`DataError` for a set that is not offered.
    """
    loaded = _load_choice(choice, path, pair, place)
    return loaded and replace(loaded, choice=path if choice == OTHER else choice)


def _load_choice(choice: str, path: str, pair: ClassifierPair, place: str) -> LoadedSet | None:
    if choice not in set_choices(pair):
        raise DataError(f"there is no set {choice!r} to open here; choose one of the list")
    model = classifier(pair.standard.name)
    if choice == SAMPLES:
        return sample_set(model)
    if choice.startswith(SESSION_PREFIX):
        built = session_sets(pair)[_name_of(choice.removeprefix(SESSION_PREFIX))]
        return LoadedSet(choice, as_constructed_set(built), built=built)
    if choice.startswith(COMPUTED_PREFIX):
        return _load_computed(choice, pair, sample_set(model), f"computed {place}")
    if choice.startswith(BUNDLED_PREFIX):
        name = choice.removeprefix(BUNDLED_PREFIX)
        return _load(str(BUNDLED_SETS / f"{name}.parquet"), model, name, place)
    if choice == CIFAR and not has_cifar10_folder():
        cifar10_download()
        return None
    if choice == CIFAR:
        return _load(CIFAR10, model, choice, place)
    return _load(path, model, Path(path).name, place) if path else None


def _name_of(short: str) -> str:
    return next(name for name in CONSTRUCTIONS if SETS[name].short == short)


def sample_set(model: Classifier) -> LoadedSet:
    """The sample pictures that suit a classifier, as its D; the label of some may be unknown.

    Raises :class:`~explorer.images.decode.ImageError` if there are none or one can't be read.
    """
    pictures = _sample_pictures(model.gallery)
    if not pictures:
        raise ImageError("there are no sample pictures: install foolbox or scikit-image")
    labels = tuple(known_label(picture, model) for picture in pictures)
    return _sample_set(_input_of(model), labels)


def _sample_pictures(gallery: str) -> list[Picture]:
    return [gallery_picture(sample, gallery) for sample in samples(gallery)]


@lru_cache(maxsize=_MAX_IN_MEMORY)
def _sample_set(model: _ModelInput, labels: tuple[int | None, ...]) -> LoadedSet:
    pictures = _sample_pictures(model.gallery)
    arrays = [to_uint8(preprocess(picture.image, model)) for picture in pictures]
    images = torch.stack(
        [torch.from_numpy(array).permute(2, 0, 1).contiguous() for array in arrays]
    )
    indices = torch.tensor([-1 if label is None else label for label in labels])
    data = LabelledImages(images, indices, model.labels)
    titles = tuple(picture.title for picture in pictures)
    return LoadedSet(SAMPLES, ConstructedSet("", SAMPLES, data), titles=titles)


def _load_computed(
    choice: str, pair: ClassifierPair, source: LoadedSet, place: str
) -> LoadedSet | None:
    """A set built from the samples on this machine: photographs of others are not published."""
    short = choice.removeprefix(COMPUTED_PREFIX)
    name = _name_of(short)
    model = classifier((pair.robust if CONSTRUCTIONS[name].robust else pair.standard).name)
    jobs = session_jobs(str(model.device))
    key = (name, identity(model), source.set.digest)
    work = partial(computed_set, name, model, source.set.data)
    job = jobs.submit(place, key, work, background=True)
    loaded = show_progress(jobs, job, place, partial(_computed_status, short), keep=False)
    return None if loaded is None else LoadedSet(choice, loaded, sources=source.titles)


def _computed_status(short: str, job: Job[ConstructedSet]) -> str:
    done, steps = job.progress
    return f"Building {short} of every sample" + (f": step {done} of {steps}" if steps else "")


def _load(path: str, model: Classifier, title: str, place: str) -> LoadedSet | None:
    """A set from the disk, read by a worker."""
    jobs = session_jobs(_WORKER)
    key = (path, _modified(path), _input_of(model))
    job = jobs.submit(place, key, lambda job: _read(*key))
    loaded = show_progress(jobs, job, place, lambda job: f"Reading {plain(title)}", keep=False)
    return None if loaded is None else LoadedSet(title, loaded)


@lru_cache(maxsize=_MAX_IN_MEMORY)
def _read(path: str, modified: float, model: _ModelInput) -> ConstructedSet:
    """The set as the classifier takes it, for all sessions, until the file changes."""
    if path == CIFAR10:
        return ConstructedSet("", CIFAR, read_source(path, model))
    return read_set(path, preprocess=lambda image: to_uint8(preprocess(image, model)))


def _modified(path: str) -> float:
    """When a file or folder was modified last; 0 if there is none."""
    try:
        return Path(path).stat().st_mtime
    except (OSError, ValueError):
        return 0.0
