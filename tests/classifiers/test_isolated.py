"""Weights are the same whether this process reads them or one of its own."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from explorer.classifiers import ClassifierError, isolated
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.isolated import read_isolated
from explorer.errors import Cancelled
from explorer.sandbox import Message

NORMALISER = {
    "normalizer.new_mean": torch.tensor([0.5, 0.25, 0.1]),
    "normalizer.new_std": torch.ones(3),
}
TIED = torch.rand(4, 3)
STATES = {
    "order": {f"{name}.weight": torch.rand(3) for name in "zayb"},
    "kinds": {
        "half": torch.rand(3).half(),
        "brain": torch.rand(3).bfloat16(),
        "double": torch.rand(3).double(),
        "count": torch.tensor(7),
        "flag": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
    },
    "tied": {"a": TIED, "b": TIED, "row": TIED[1], "turned": TIED.T},
    "wrapped": {
        "state_dict": NORMALISER | {"model.a": torch.rand(2), "attacker.model.a": torch.rand(2)}
    },
    "numpy": {"model": {"a": torch.rand(2)}, "best": np.float64(0.5)},
    "odd names": {"__metadata__": torch.rand(2), "ε a": torch.rand(2), "": torch.rand(1)},
}


def assert_same(path: Path) -> None:
    here, there = read_checkpoint(path), read_isolated(path)
    assert (there.mean, there.std) == (here.mean, here.std)
    assert list(there.state) == list(here.state)
    for name, tensor in here.state.items():
        assert there.state[name].dtype == tensor.dtype
        assert torch.equal(there.state[name], tensor)


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_are_the_same(tmp_path, kind, zipped):
    path = tmp_path / "w.pth"
    torch.save(STATES[kind], path, _use_new_zipfile_serialization=zipped)
    assert_same(path)


def test_a_safetensors_file_is_the_same(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(STATES["kinds"], path)
    assert_same(path)


def test_sentences_are_the_same(tmp_path):
    path = tmp_path / "w.pth"
    for content in (b"", b"\x89PNG", b"PK\3\4" + bytes(99)):
        path.write_bytes(content)
        with pytest.raises(ClassifierError) as here:
            read_checkpoint(path)
        with pytest.raises(ClassifierError) as there:
            read_isolated(path)
        assert str(there.value) == str(here.value)
    with pytest.raises(ClassifierError, match="there is no weights file"):
        read_isolated(tmp_path / "none.pth")


def test_a_cancelled_reading_ends_at_once_and_leaves_no_file(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    path = tmp_path / "w.pth"
    torch.save({"a": torch.rand(2)}, path)
    start = time.monotonic()
    with pytest.raises(Cancelled):
        read_isolated(path, lambda: True)
    assert time.monotonic() - start < 1
    read_isolated(path)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"mean": None, "std": None}, ["a"]),
        ({"mean": None, "std": None}, ["x a"]),
        ({"mean": [1, 2], "std": None}, ["0 a"]),
        ({"mean": "abc", "std": None}, ["0 a"]),
        ({"mean": None, "std": {"a": 1}}, ["0 a"]),
    ],
)
def test_a_reply_that_is_no_network_is_refused(tmp_path, monkeypatch, values, names):
    class Pool:
        def ask(self, request: Message, *_: object) -> Message:
            save_file({name: torch.rand(1) for name in names}, request.values["to"])
            return Message(values)

    monkeypatch.setattr(isolated, "_POOL", Pool())
    path = tmp_path / "w.pth"
    path.write_bytes(b"\x80\x02anything")
    with pytest.raises(ClassifierError, match=r"w\.pth can't be read"):
        read_isolated(path)
