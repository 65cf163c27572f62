"""What stays in memory: small classifiers up to a number, large ones while there is room, each loaded once."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, ClassifierError
from explorer.classifiers import cache as module
from explorer.classifiers.cache import LARGE, MOST_SMALL, ModelCache, weight_bytes
from explorer.system import free_memory

GIGA = 2**30


def made(name: str) -> Classifier:
    """A classifier called large… has just over LARGE bytes of weights (never touched, so that they cost nothing)."""
    outputs = LARGE // (4 * 3 * 16) + 1 if name.startswith("large") else 2
    net = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, outputs, bias=False))
    return Classifier(
        net, labels=[str(i) for i in range(2)], input_size=(8, 8), name=name, title=name
    )


class Machine:
    """So much memory in all, of which loaded classifiers use what they weigh; counts what it loads."""

    def __init__(self, memory: int) -> None:
        self.memory, self.alive, self.loads = memory, weakref.WeakSet(), []

    def load(self, name: str) -> Classifier:
        self.loads.append(name)
        classifier = made(name)
        self.alive.add(classifier)
        return classifier

    def free_memory(self, device: torch.device) -> int:
        gc.collect()
        return self.memory - sum(weight_bytes(each) for each in self.alive)


def names(shelf: ModelCache) -> list[str]:
    return [each.name for each in shelf.loaded()]


def test_a_second_large_classifier_evicts_the_first_where_there_is_no_room():
    machine = Machine(GIGA + int(module.NEED * LARGE) + LARGE // 2)
    shelf = ModelCache(machine.load, machine.room)
    shelf.get("large 1")
    shelf.get("small")
    shelf.get("large 2")
    assert names(shelf) == ["large 2", "small"]
    assert len(machine.alive) == 2  # the first is not only forgotten, its memory is free


def test_large_classifiers_stay_where_there_is_room_and_the_longest_unused_goes_first():
    machine = Machine(GIGA + int((module.NEED + 2.5) * LARGE))
    shelf = ModelCache(machine.load, machine.room)
    for name in ("large 1", "large 2", "large 1", "large 3", "large 4"):
        shelf.get(name)
    assert names(shelf) == ["large 4", "large 3", "large 1"]


def test_room_is_made_before_a_file_of_known_size_is_read():
    machine = Machine(GIGA + int(module.NEED * LARGE) + LARGE // 2)
    shelf = ModelCache(machine.load, machine.room)
    shelf.get("large 1", expected=LARGE + 1)
    seen = []
    shelf._loader = lambda name: seen.append(names(shelf)) or machine.load(name)
    shelf.get("large 2", expected=LARGE + 1)
    assert seen == [[]]


def test_the_only_large_classifier_is_loaded_however_little_room_there_is():
    shelf = ModelCache(made, lambda device: 0)
    assert shelf.get("large").name == "large"
    assert shelf.loaded()[0].large


def test_small_ones_are_many_but_not_without_end():
    machine = Machine(0)
    shelf = ModelCache(machine.load, machine.room)
    for i in range(MOST_SMALL + 3):
        shelf.get(f"small {i}")
    assert len(shelf.loaded()) == MOST_SMALL
    assert "small 2" not in names(shelf)


def test_two_who_ask_at_once_wait_for_one_loading():
    started, go, loads = threading.Event(), threading.Event(), []

    def slow(name: str) -> Classifier:
        loads.append(name)
        started.set()
        assert go.wait(10)
        return made(name)

    shelf, found = ModelCache(slow, lambda device: 0), []
    threads = [threading.Thread(target=lambda: found.append(shelf.get("a"))) for _ in range(2)]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert loads == ["a"]
    assert found[0] is found[1]


def test_a_failure_is_said_and_the_next_try_loads_again():
    tries = []

    def broken(name: str) -> Classifier:
        tries.append(name)
        raise ClassifierError("no such file")

    shelf = ModelCache(broken, lambda device: 0)
    for _ in range(2):
        with pytest.raises(ClassifierError, match="no such file"):
            shelf.get("a")
    assert tries == ["a", "a"]


def test_forgetting():
    shelf = ModelCache(made, lambda device: 0)
    first = shelf.get("a")
    shelf.forget("a")
    assert shelf.get("a") is not first


def test_the_room_of_a_container_is_what_its_limit_leaves(tmp_path):
    assert module._left_in_container(tmp_path) > GIGA  # no container
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert module._left_in_container(tmp_path) == 3000
    (tmp_path / "memory.max").write_text("max\n")
    assert module._left_in_container(tmp_path) > GIGA
    assert 0 < free_memory(torch.device("cpu")) < 2**50


def test_another_version_of_the_file_is_loaded_anew():
    machine = Machine(0)
    shelf = ModelCache(machine.load, machine.room)
    first = shelf.get("a", version=1)
    assert shelf.get("a", version=1) is first
    assert shelf.get("a", version=2) is not first
    assert machine.loads == ["a", "a"]
    assert len(shelf.loaded()) == 1
