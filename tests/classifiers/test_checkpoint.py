"""Checkpoints: the wrappers around a network are taken off, and no code from the file is run."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.classifiers import ClassifierError
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.state_dict import MAX_TENSORS

A = {"a": torch.ones(2), "b.weight": torch.zeros(1)}
MEAN = torch.tensor([0.5, 0.25, 0.75])
NORMALISER = {
    "normalizer.new_mean": MEAN,
    "normalizer.new_std": torch.ones(3),
}


def prefixed(prefix, state=A):
    return {prefix + name: value for name, value in state.items()}


@pytest.mark.parametrize(
    ("saved", "normalised"),
    [
        (A, False),
        (prefixed("module."), False),
        ({"state_dict": prefixed("module.module."), "arch": "x"}, False),
        ({"state_dict": {"a": torch.zeros(2)}, "state_dict_ema": A}, False),
        (
            {
                "model": {"a": torch.zeros(2)},
                "model_ema": {"n_averaged": torch.tensor(7), **prefixed("module.")},
            },
            False,
        ),
        ({"model": A, "model_ema": None}, False),
        ({"model": {"state_dict": prefixed("model.")}}, False),
        (
            {
                **NORMALISER,
                **prefixed("model."),
                **prefixed("attacker.model."),
                "attacker.normalize.new_mean": torch.ones(3),
            },
            True,
        ),
        ({"state_dict": prefixed("module.", {**NORMALISER, **prefixed("attacker.model.")})}, True),
        ({"model": A, "best": np.float32(0.5), "when": np.int64(3)}, False),
        (prefixed("model._orig_mod."), False),
        (prefixed("_orig_mod.module.backbone."), False),
        ({"net": prefixed("net."), "acc": 93.1, "epoch": 7}, False),
        ({"model_state_dict": A, "optimizer_state_dict": {"state": {0: {"step": 3}}}}, False),
        ({"ema": A, "model": {"a": torch.zeros(2)}}, False),
        ({"generator": A, "optimizer": {"state": {}, "param_groups": []}, "lr": 0.1}, False),
        ({**A, "epoch": 3, "args": None}, False),
        ({"a": A["a"], "b._orig_mod.weight": A["b.weight"]}, False),
        (
            prefixed("1.") | {"0.mean": torch.tensor([0.5, 0.25, 0.75]), "0.std": torch.ones(3)},
            True,
        ),
        (
            A | {"mu": torch.tensor([0.5, 0.25, 0.75]).view(1, 3, 1, 1), "sigma": torch.ones(3)},
            True,
        ),
    ],
)
def test_the_wrappers_around_a_network_are_taken_off(tmp_path, saved, normalised):
    torch.save(saved, tmp_path / "w.pth")
    checkpoint = read_checkpoint(tmp_path / "w.pth")
    assert checkpoint.state.keys() == A.keys()
    assert all(torch.equal(checkpoint.state[name], A[name]) for name in A)
    assert (checkpoint.mean, checkpoint.std) == (
        ((0.5, 0.25, 0.75), (1.0, 1.0, 1.0)) if normalised else (None, None)
    )


@pytest.mark.parametrize("format", ["zip", "legacy"])
@pytest.mark.parametrize("function", [os.system, eval, exec, open, subprocess.check_output])
def test_a_file_that_would_run_a_program_is_refused_by_the_name_of_the_function(
    tmp_path, format, function
):
    class Call:
        def __reduce__(self):
            return function, (f"touch {tmp_path / 'ran'}",)

    torch.save(
        {"model": A, "z": Call()},
        tmp_path / "w.pth",
        _use_new_zipfile_serialization=format == "zip",
    )
    with pytest.raises(ClassifierError, match=r"w\.pth names .*, with which a file runs programs"):
        read_checkpoint(tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


def test_a_normalisation_that_is_not_of_three_colours_is_an_error(tmp_path):
    torch.save(
        {
            **prefixed("model."),
            "normalizer.new_mean": torch.ones(2),
            "normalizer.new_std": torch.ones(3),
        },
        tmp_path / "w.pth",
    )
    with pytest.raises(
        ClassifierError, match="normalises by 2 values of mean; there must be one, or 3"
    ):
        read_checkpoint(tmp_path / "w.pth")


def test_a_dictionary_that_holds_itself_is_an_error(tmp_path):
    state = {}
    state["state_dict"] = state
    path = tmp_path / "self.pth"
    torch.save(state, path)
    with pytest.raises(ClassifierError, match="holds no state dict"):
        read_checkpoint(path)


@pytest.mark.parametrize("format", ["zip", "legacy"])
def test_a_file_cut_anywhere_is_one_sentence(tmp_path, format):
    path = tmp_path / "cut.pth"
    torch.save({"weight": torch.rand(20, 20)}, path, _use_new_zipfile_serialization=format == "zip")
    whole = path.read_bytes()
    for length in range(1, len(whole) - 1, 37):
        path.write_bytes(whole[:length])
        with pytest.raises(ClassifierError):
            read_checkpoint(path)


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.zeros(2, device="meta"), r"empty \(meta\)"),
        (torch.eye(2).to_sparse(), "sparse"),
        (torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8), "quantised"),
        (torch.ones(2, dtype=torch.complex64), "complex"),
    ],
)
def test_tensors_that_are_no_plain_numbers_are_named(tmp_path, tensor, words):
    torch.save({**A, "c.bias": tensor}, tmp_path / "w.pth")
    with pytest.raises(ClassifierError, match=f"holds {words} tensors, such as c.bias; save the"):
        read_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch, suffix):
    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(ClassifierError, match="can't be read: file name too long"):
        read_checkpoint(tmp_path / f"{'x' * 300}.{suffix}")
    (tmp_path / f"w.{suffix}").write_bytes(b"x")
    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(ClassifierError, match="can't be read: permission denied"):
        read_checkpoint(tmp_path / f"w.{suffix}")


def test_one_number_that_stands_for_gigabytes_is_an_error(tmp_path):
    torch.save({"a": torch.ones(1).expand(4 * 10**8)}, tmp_path / "w.pth")
    with pytest.raises(ClassifierError, match="repeat the same numbers up to 1526 MiB"):
        read_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["x" * 100_000, "a\nb", "\ud800"])
def test_a_name_that_is_none_is_shown_in_short(tmp_path, name):
    torch.save({name: torch.ones(1)}, tmp_path / "w.pth")
    with pytest.raises(ClassifierError, match="a tensor whose name is no name") as error:
        read_checkpoint(tmp_path / "w.pth")
    assert len(str(error.value).replace(str(tmp_path), "")) < 200
    assert str(error.value).isprintable()


def test_more_tensors_than_any_network_has(tmp_path):
    one = torch.ones(1)
    torch.save({f"t{index}": one for index in range(MAX_TENSORS + 1)}, tmp_path / "w.pth")
    with pytest.raises(ClassifierError, match=r"20,001 tensors; at most 20,000 are read"):
        read_checkpoint(tmp_path / "w.pth")


def test_a_header_of_megabytes_is_refused_before_it_is_read(tmp_path):
    header = b"{}" + b" " * (5 * 2**20)
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ClassifierError, match="describes its tensors in 5 MiB"):
        read_checkpoint(path)
