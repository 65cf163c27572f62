"""Objects beside the weights are stood for; nothing that a file names is looked up or called."""

from __future__ import annotations

import argparse
import collections
import datetime
import enum
import functools
import io
import pathlib
import pickle
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from explorer.classifiers import ClassifierError
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.isolated import read_isolated
from explorer.classifiers.restricted_pickle import StandIn, load

A = {"a": torch.ones(2), "b.weight": torch.zeros(1)}


class Colour(enum.Enum):
    RED = 1


class Settings(dict):
    """As EasyDict, Lightning's AttributeDict and ml_collections are."""


class Config:
    """As omegaconf's containers are."""

    def __init__(self, **content):
        self.__dict__["_content"] = content

    def __getattr__(self, name):
        raise AttributeError(name)


class Numbers(list):
    """A list's subclass, which is appended to."""


OBJECTS = {
    "Namespace": argparse.Namespace(lr=0.1, name="x", nested=argparse.Namespace(a=[1])),
    "path": pathlib.Path("/data/x"),
    "date": datetime.datetime(2020, 1, 2),
    "time zone": datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
    "enum": Colour.RED,
    "numpy number": np.float64(3.5),
    "numpy array": np.arange(6).reshape(2, 3),
    "numpy generator": np.random.default_rng(0).bit_generator.state,
    "defaultdict": collections.defaultdict(list, {"loss": [1.0, 2.0]}),
    "Counter": collections.Counter("hello"),
    "deque": collections.deque([1, 2], maxlen=5),
    "partial": functools.partial(max, 1),
    "dictionary": Settings(lr=1, inner=Settings(a=2)),
    "configuration": Config(lr=1),
    "list": Numbers([1, 2, 3]),
    "bytes": b"\x00\xff",
    "set": {1, 2},
    "complex": 1 + 2j,
    "class": nn.Conv2d,
    "function": torch.nn.functional.relu,
    "dtype": torch.float16,
    "size": torch.Size([2]),
    "device": torch.device("cpu"),
    "random state": torch.get_rng_state(),
    "module": nn.Linear(2, 2),
    "large number": 10**60,
}


@pytest.fixture(autouse=True)
def classes_that_only_the_writer_has(monkeypatch):
    """The reader has no module of that name, so that looking a class up would fail."""
    elsewhere = types.ModuleType("written_elsewhere")
    monkeypatch.setitem(sys.modules, "written_elsewhere", elsewhere)
    for kind in (Colour, Settings, Config, Numbers):
        monkeypatch.setattr(kind, "__module__", "written_elsewhere")
        setattr(elsewhere, kind.__name__, kind)


@pytest.mark.parametrize("format", ["zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_beside_the_weights_does_no_harm(tmp_path, monkeypatch, kind, protocol, format):
    path = tmp_path / "w.pth"
    torch.save(
        {"args": OBJECTS[kind], "list": [OBJECTS[kind]], "state_dict": A, "last": OBJECTS[kind]},
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=format == "zip",
    )
    monkeypatch.delitem(sys.modules, "written_elsewhere")
    state = read_checkpoint(path).state
    assert state.keys() == A.keys()
    assert all(torch.equal(state[name], A[name]) for name in A)


def test_all_of_them_in_the_reading_process(tmp_path):
    torch.save({"state_dict": A, **OBJECTS}, tmp_path / "w.pth")
    state = read_isolated(tmp_path / "w.pth").state
    assert all(torch.equal(state[name], A[name]) for name in A)


@pytest.mark.parametrize("kind", [Settings, collections.OrderedDict])
def test_weights_in_a_dictionary_of_ones_own_class(tmp_path, kind):
    torch.save(kind(state_dict=kind(A)), tmp_path / "w.pth")
    assert read_checkpoint(tmp_path / "w.pth").state.keys() == A.keys()


@pytest.mark.parametrize("where", ["alone", "under a key", "in data parallel"])
@pytest.mark.parametrize("format", ["zip", "legacy"])
def test_a_pickled_network_is_read_without_its_class(tmp_path, where, format):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Linear(4, 2)))
    network.register_buffer("transient", torch.ones(1), persistent=False)
    expected = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    content = {
        "alone": network,
        "under a key": {"model": network, "epoch": 3},
        "in data parallel": nn.DataParallel(network),
    }[where]
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=format == "zip")
    state = read_checkpoint(tmp_path / "w.pth").state
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_optimizers_and_other_networks_are_no_weights(tmp_path):
    optimizer = torch.optim.Adam([nn.Parameter(torch.ones(3))])
    torch.save({"optimizer": optimizer.state_dict(), "step": 3}, tmp_path / "w.pth")
    with pytest.raises(ClassifierError, match="holds no state dict, which maps names to tensors"):
        read_checkpoint(tmp_path / "w.pth")


def test_a_tensor_has_no_hooks_and_no_attributes_of_the_file(tmp_path):
    tensor = nn.Parameter(torch.ones(2))
    tensor.dim = "not a method"
    torch.save({"a": tensor}, tmp_path / "w.pth")
    state = read_checkpoint(tmp_path / "w.pth").state
    assert (state["a"].dim(), state["a"].requires_grad) == (1, False)


def test_views_keep_their_sign_and_their_strides(tmp_path):
    state = {"negative": torch._neg_view(torch.ones(2)), "turned": torch.rand(3, 2).T}
    torch.save(state, tmp_path / "w.pth")
    read = read_checkpoint(tmp_path / "w.pth").state
    assert all(torch.equal(read[name], state[name]) for name in state)


CALLS = {
    "reduce": b"cbuiltins\nprint\n(Vx\ntR.",
    "instance": b"(Vx\nibuiltins\nprint\n.",
    "object": b"(cbuiltins\nprint\nVx\no.",
    "new object": b"\x80\x02cbuiltins\nprint\n(Vx\nt\x81.",
    "new object with keywords": b"\x80\x04cbuiltins\nprint\n)}\x92.",
    "by the stack": b"\x80\x04\x8c\x08builtins\x8c\x05print\x93)R.",
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_is_stood_for(kind, capsys):
    value = load(io.BytesIO(CALLS[kind]))
    assert isinstance(value, StandIn)
    assert value.name == "builtins.print"
    assert capsys.readouterr().out == ""


REFUSED = {
    "state of a class": b"ctorch.storage\nUntypedStorage\n}Vx\nI1\nsb.",
    "call of a number": b"I1\n(tR.",
    "call of a class of torch's": b"ctorch\nUntypedStorage\n(I9\ntR.",
    "extension": b"\x80\x02\x82\x01.",
    "items of a tuple": b"(I1\nI2\nt(I3\nI4\nu.",
    "appending to a tuple": b"(t(I3\nI4\ne.",
    "persistent id as text": b"Pstorage\n.",
    "persistent id of another kind": b"\x80\x02K\x01Q.",
}


@pytest.mark.parametrize("kind", [kind for kind in REFUSED if kind != "state of a class"])
def test_what_would_reach_beyond_plain_containers_is_refused(kind):
    with pytest.raises((pickle.UnpicklingError, KeyError)):
        load(io.BytesIO(REFUSED[kind]))


def test_the_state_of_a_class_stays_as_it_is():
    load(io.BytesIO(REFUSED["state of a class"]))
    assert not hasattr(torch.UntypedStorage, "x")
