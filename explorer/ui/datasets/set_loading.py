"""The sets a page can open: the sample pictures, what was made here, what is bundled, and what lies under a path."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import torch

from explorer.classifiers import Classifier
from explorer.classifiers.catalogue import BUNDLED
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.read import ConstructedSet, read_set
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.datasets.sources import CIFAR10, read_source
from explorer.images.decode import ImageError
from explorer.images.gallery import samples
from explorer.images.geometry import to_uint8, view
from explorer.ui.datasets.cifar10 import cifar_here, fetch_cifar
from explorer.ui.datasets.computed_sets import computed_set
from explorer.ui.datasets.loaded_set import LoadedSet
from explorer.ui.datasets.request import ClassifierPair
from explorer.ui.datasets.session_set import made_set, session_sets
from explorer.ui.datasets.words import SETS
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job, Refused
from explorer.ui.shared.classifiers import classifier

SAMPLES, CIFAR, OTHER = "D: the sample pictures", "D: CIFAR-10, test images", "a file or folder"
MADE, BUNDLED_SET, COMPUTED = "made here: ", "bundled: ", "from the samples: "
BUNDLED_SETS = BUNDLED.parent / "sets"
LANE = "sets"  # a worker of its own: attacks need not wait until a large set is read
_KEPT = 4  # sets kept in memory


def choices(pair: ClassifierPair) -> list[str]:
    """What can be opened with this pair."""
    bundled = [f"{BUNDLED_SET}{path.stem}" for path in sorted(BUNDLED_SETS.glob("*.parquet"))]
    made = [f"{MADE}{SETS[name].short}" for name in session_sets(pair)]
    computed = [f"{COMPUTED}{SETS[name].short}" for name in CONSTRUCTIONS]
    return [SAMPLES, *made, *bundled, *computed, CIFAR, OTHER]


def open_choice(choice: str, path: str, pair: ClassifierPair) -> LoadedSet | None:
    """What stands under a choice; None while it is being read, or when it can't be, which the page then says."""
    model = classifier(pair.standard.name)
    if choice == SAMPLES:
        return sample_set(model.name)
    if choice.startswith(MADE):
        short = choice.removeprefix(MADE)
        made = next(each for name, each in session_sets(pair).items() if SETS[name].short == short)
        return LoadedSet(choice, made_set(made), made=made)
    if choice == CIFAR and not cifar_here():
        fetch_cifar()
        return None
    if choice == CIFAR:
        return _read(CIFAR10, model, choice)
    if choice.startswith(COMPUTED):
        name = next(
            name for name in CONSTRUCTIONS if SETS[name].short == choice.removeprefix(COMPUTED)
        )
        samples_of = sample_set(model.name)
        return None if samples_of is None else _computed(choice, name, pair, samples_of)
    if choice.startswith(BUNDLED_SET):
        path = str(BUNDLED_SETS / f"{choice.removeprefix(BUNDLED_SET)}.parquet")
    return (
        _read(path, model, choice.removeprefix(BUNDLED_SET) if choice != OTHER else Path(path).name)
        if path
        else None
    )


@lru_cache(maxsize=_KEPT)
def sample_set(model_name: str) -> LoadedSet | None:
    """The labelled samples that suit a classifier, as its own D; None where there are none."""
    model = classifier(model_name)
    found = samples(model.gallery)
    if not found:
        return None
    try:
        arrays = [to_uint8(view(sample.read(), model)) for sample in found]
    except ImageError:
        return None
    images = torch.stack(
        [torch.from_numpy(array).permute(2, 0, 1).contiguous() for array in arrays]
    )
    labels = torch.tensor([-1 if sample.label is None else sample.label for sample in found])
    data = LabelledImages(images, labels, model.labels)
    return LoadedSet(
        SAMPLES, ConstructedSet("", SAMPLES, data), titles=tuple(sample.title for sample in found)
    )


def _computed(choice: str, name: str, pair: ClassifierPair, of: LoadedSet) -> LoadedSet | None:
    """A set made from the sample pictures on this machine: other people's photographs are not passed on."""
    maker = classifier((pair.robust if CONSTRUCTIONS[name].robust else pair.standard).name)
    way = session_jobs(str(maker.device))
    job = way.submit(
        "computed set",
        (name, maker.digest, of.set.digest),
        partial(computed_set, name, maker, of.set.data),
    )
    found = show_progress(
        way, job, "computed set", partial(_computing, SETS[name].short), keep=False
    )
    return None if found is None else LoadedSet(choice, found, sources=of.titles)


def _computing(short: str, job: Job[ConstructedSet]) -> str:
    done, steps = job.progress
    return (
        f"Making {short} of every sample: step {done} of {steps}"
        if steps
        else f"Making {short} of every sample"
    )


def _read(path: str, model: Classifier, title: str) -> LoadedSet | None:
    """A set from the disk, read by a worker."""
    way = session_jobs(LANE)
    key = (path, _changed(path), model.input_size, model.resize, model.interpolation)
    job = way.submit("set", key, partial(_reading, path, model.name))
    found = show_progress(way, job, "set", lambda _: f"Reading {title}", keep=False)
    return None if found is None else LoadedSet(title, found)


def _reading(path: str, model_name: str, job: Job[ConstructedSet]) -> ConstructedSet:
    try:
        return _read_once(path, _changed(path), model_name)
    except DataError as error:
        raise Refused(str(error)) from None


@lru_cache(maxsize=_KEPT)
def _read_once(path: str, changed: float, model_name: str) -> ConstructedSet:
    """Shared by all sessions, until the file changes."""
    model = classifier(model_name)
    if path == CIFAR10:
        return ConstructedSet("", CIFAR, read_source(path, model))
    return read_set(path, view=lambda image: to_uint8(view(image, model)))


def _changed(path: str) -> float:
    """When a file or folder changed last; 0 where there is none."""
    try:
        return Path(path).stat().st_mtime
    except (OSError, ValueError):
        return 0.0
