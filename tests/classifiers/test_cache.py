"""What stays in memory: small classifiers up to a number, large ones while there is memory."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, ClassifierError
from explorer.classifiers.cache import (
    LARGE_MODEL,
    MAX_SMALL_MODELS,
    MEMORY_FACTOR,
    RESERVED,
    ModelCache,
    weight_bytes,
)


@pytest.fixture(autouse=True)
def on_cpu(monkeypatch):
    """The classifiers of this file are on the CPU, also on a machine with a GPU."""
    monkeypatch.setattr(ModelCache, "device", staticmethod(lambda: torch.device("cpu")))


ONE_LARGE_MODEL = RESERVED + int(MEMORY_FACTOR * LARGE_MODEL) + LARGE_MODEL // 2


def classifier_named(name: str) -> Classifier:
    """A classifier whose weights take just over LARGE_MODEL bytes if its name begins with "large".

    The weights are never touched, so they cost no memory.
    """
    outputs = LARGE_MODEL // (4 * 3 * 16) + 1 if name.startswith("large") else 2
    net = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, outputs, bias=False))
    return Classifier(net, labels=["0", "1"], input_size=(8, 8), name=name, title=name)


class Machine:
    """A loader, on a machine whose memory is taken by the classifiers that are alive."""

    def __init__(self, memory: int) -> None:
        self.memory, self.alive, self.loads = memory, weakref.WeakSet(), []

    def load(self, name: str) -> Classifier:
        self.loads.append(name)
        classifier = classifier_named(name)
        self.alive.add(classifier)
        return classifier

    def free_memory(self, device: torch.device) -> int:
        gc.collect()
        return self.memory - sum(weight_bytes(classifier) for classifier in self.alive)


def no_memory(device: torch.device) -> int:
    return 0


def names(cache: ModelCache) -> list[str]:
    return [model.name for model in cache.loaded()]


def test_a_second_large_classifier_evicts_the_first_when_memory_is_short():
    machine = Machine(ONE_LARGE_MODEL)
    cache = ModelCache(machine.load, machine.free_memory)
    cache.get("large 1")
    cache.get("small")
    cache.get("large 2")
    assert names(cache) == ["large 2", "small"]
    assert len(machine.alive) == 2  # the first one's memory is free, too


def test_large_classifiers_stay_while_there_is_memory_and_the_least_recently_used_goes_first():
    machine = Machine(RESERVED + int((MEMORY_FACTOR + 2.5) * LARGE_MODEL))
    cache = ModelCache(machine.load, machine.free_memory)
    for name in ("large 1", "large 2", "large 1", "large 3", "large 4"):
        cache.get(name)
    assert names(cache) == ["large 4", "large 3", "large 1"]


def test_memory_is_freed_before_a_file_of_known_size_is_read():
    machine, in_memory = Machine(ONE_LARGE_MODEL), []

    def loader(name: str) -> Classifier:
        in_memory.append(names(cache))
        return machine.load(name)

    cache = ModelCache(loader, machine.free_memory)
    cache.get("large 1", expected=LARGE_MODEL + 1)
    cache.get("large 2", expected=LARGE_MODEL + 1)
    assert in_memory == [[], []]


def test_a_single_large_classifier_is_loaded_however_little_memory_is_free():
    cache = ModelCache(classifier_named, no_memory)
    assert cache.get("large").name == "large"
    assert cache.loaded()[0].bytes > LARGE_MODEL


def test_the_number_of_small_classifiers_is_limited():
    machine = Machine(0)
    cache = ModelCache(machine.load, machine.free_memory)
    for i in range(MAX_SMALL_MODELS + 3):
        cache.get(f"small {i}")
    assert len(cache.loaded()) == MAX_SMALL_MODELS
    assert "small 2" not in names(cache)


def test_two_threads_wait_for_one_loading():
    started, resume, loads = threading.Event(), threading.Event(), []

    def slow(name: str) -> Classifier:
        loads.append(name)
        started.set()
        assert resume.wait(10)
        return classifier_named(name)

    cache, results = ModelCache(slow, no_memory), []
    threads = [threading.Thread(target=lambda: results.append(cache.get("a"))) for _ in range(2)]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    resume.set()
    for thread in threads:
        thread.join(10)
    assert loads == ["a"]
    assert results[0] is results[1]


def test_a_failure_is_raised_and_the_next_call_loads_again():
    loads = []

    def broken(name: str) -> Classifier:
        loads.append(name)
        raise ClassifierError("no such file")

    cache = ModelCache(broken, no_memory)
    for _ in range(2):
        with pytest.raises(ClassifierError, match="no such file"):
            cache.get("a")
    assert loads == ["a", "a"]


def test_a_forgotten_classifier_is_loaded_again():
    cache = ModelCache(classifier_named, no_memory)
    first = cache.get("a")
    cache.forget("a")
    assert cache.get("a") is not first


def test_another_version_of_the_file_is_loaded_again():
    machine = Machine(0)
    cache = ModelCache(machine.load, machine.free_memory)
    first = cache.get("a", version=1)
    assert cache.get("a", version=1) is first
    assert cache.get("a", version=2) is not first
    assert machine.loads == ["a", "a"]
    assert len(cache.loaded()) == 1


@pytest.mark.parametrize("evicted", [False, True])
def test_a_large_classifier_for_which_there_is_no_memory_is_a_sentence_and_not_read(evicted):
    machine = Machine(int(MEMORY_FACTOR * LARGE_MODEL))
    cache = ModelCache(machine.load, machine.free_memory)
    if evicted:
        cache.get("large 1")
    with pytest.raises(
        ClassifierError, match=r"not enough memory .* needs 0\.2 GB and 0\.2 GB are"
    ):
        cache.get("large 2", expected=LARGE_MODEL + 2)
    assert machine.loads == ["large 1"] * evicted
    assert cache.get("small", expected=100).name == "small"


def test_a_classifier_is_read_by_the_loader_that_is_given():
    cache = ModelCache(classifier_named, no_memory)
    assert cache.get("a", loader=lambda: classifier_named("b")).name == "b"
    assert names(cache) == ["a"]
