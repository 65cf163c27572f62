"""Files are told by their content: what is no weights file is called what it is."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save

from explorer.classifiers import ClassifierError
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.isolated import read_isolated, read_weights_file

STATE = {"weight": torch.ones(2)}


def packed() -> dict[str, bytes]:
    tar, array, arrays, archive = (io.BytesIO() for _ in range(4))
    with tarfile.open(fileobj=tar, mode="w") as file:
        file.addfile(tarfile.TarInfo("weights.pth"))
    np.save(array, np.ones(3))
    np.savez(arrays, a=np.ones(3))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("model/config.json", "{}")
        file.writestr("model/weights.pth", b"...")
    return {
        "tar": tar.getvalue(),
        "npy": array.getvalue(),
        "npz": arrays.getvalue(),
        "zip": archive.getvalue(),
        "gzip": gzip.compress(b"weights"),
    }


def script() -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buffer)
    return buffer.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
FILES = {
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(99), "is a picture, not weights"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(99), "is a picture, not weights"),
    "page": (b"\n<!DOCTYPE html><html>", "is a web page, not weights; download the file that"),
    "lower case": (b"<!doctype html>", "is a web page"),
    "page without a type": (b"\xef\xbb\xbf<head><title>Google Drive", "is a web page"),
    "LFS": (POINTER, "is a Git LFS pointer, not weights; fetch the file itself with git lfs pull"),
    "annex": (b"../.git/annex/objects/SHA256E-s1--0.pth", "git-annex pointer.*git annex get"),
    "JSON": (b'{"error": "no such file"}', "is JSON, not weights; give the file of the weights"),
    "text": (b"Access denied\n", "is text, not weights; give the file of the weights"),
    "text beyond ASCII": ("# Über ε × δ\n".encode() * 99, "is text, not weights"),
    "text cut within a letter": (b"a" + "é".encode() * 999, "is text, not weights"),
    "UTF-16": ("naïve text".encode("utf-16"), "is text, not weights"),
    "Latin-1": ("Größe".encode("latin-1"), "is text, not weights"),
    "table": (b"a\tb\n1\t2\n", "is text, not weights"),
    "TOML": (b"[build]\na = 1\n", "is text, not weights"),
    "sound": (b"RIFF\0\0\0\0WAVEfmt ", "is a film or a sound, not weights"),
    "film": (b"\0\0\0 ftypisom" + bytes(99), "is a film or a sound, not weights"),
    "HEIC": (b"\0\0\0 ftypheic" + bytes(99), "is a picture, not weights"),
    "ONNX": (b"\x08\x07\x12\x07pytorch\x1a", "is an ONNX file: a network that was exported"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(99), "is a TensorFlow Lite file: a network"),
    "Parquet": (b"PAR1\x15\4" + bytes(99), "is a Parquet file, not weights"),
    "pickle": (pickle.dumps({"a": 1}), "is a pickle that torch did not write"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "is an HDF5 file, as Keras writes it"),
    "GGUF": (b"GGUF\3\0\0\0" + bytes(99), "is a GGUF file"),
    "empty": (b"", "is empty; download or save it again"),
    "tar": (packed()["tar"], r"is a compressed file \(tar\); unpack it"),
    "gzip": (packed()["gzip"], r"is a compressed file \(gzip\)"),
    "npy": (packed()["npy"], "is a NumPy array"),
    "npz": (packed()["npz"], "is a zip archive that torch did not write"),
    "zip": (packed()["zip"], "is a zip archive that torch did not write"),
    "cut": (b"PK\x03\x04" + bytes(99), "is a damaged archive"),
    "TorchScript": (script(), "is a TorchScript archive: a program, which is not run here. Give"),
}


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path, suffix, kind):
    content, words = FILES[kind]
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(content)
    for read in (read_checkpoint, read_isolated):
        with pytest.raises(ClassifierError, match=words) as error:
            read(path)
        assert "weights_only" not in str(error.value)


@pytest.mark.parametrize("content", ["root:x:0:0:root", '{"root": "x:0:0"}', "<p>root:x:0:0"])
def test_a_message_never_quotes_the_file(tmp_path, content):
    path = tmp_path / "w.pth"
    path.write_text(content)
    for read in (read_checkpoint, read_isolated):
        with pytest.raises(ClassifierError, match="not weights") as error:
            read(path)
        assert "root" not in str(error.value).replace(str(path), "")


def test_of_an_unknown_file_no_number_of_the_unpickler_is_shown(tmp_path):
    path = tmp_path / "w.pth"
    for content in (b"MZ\x90\0" + bytes(99), bytes(range(256)), b"\x80\x02\x8a", b"\x80\x02#"):
        path.write_bytes(content)
        with pytest.raises(ClassifierError, match=r"is no weights file of torch|it ends early"):
            read_checkpoint(path)
    with pytest.raises(ClassifierError, match="is a folder; name the weights file itself"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("suffix", ["pth", "safetensors", "bin", "ckpt", "pt", "pkl", ""])
@pytest.mark.parametrize("format", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("read", [read_checkpoint, read_weights_file])
def test_the_name_of_a_file_says_nothing_about_it(tmp_path, suffix, format, read):
    path = tmp_path / f"w.{suffix}"
    if format == "safetensors":
        path.write_bytes(save(STATE))
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=format == "zip")
    assert torch.equal(read(path).state["weight"], STATE["weight"])


def test_an_archive_of_the_oldest_format_is_not_unpacked(tmp_path, monkeypatch):
    """It has no signature where it was written by old tools, and torch would extract it."""
    old = bytearray(packed()["tar"])
    old[257:265] = bytes(8)
    old[148:156] = b"%06o\0 " % (sum(old[:148]) + 8 * 32 + sum(old[156:512]))
    path = tmp_path / "w.pth"
    path.write_bytes(old)
    assert tarfile.is_tarfile(path)
    monkeypatch.setattr(tarfile, "open", None)
    with pytest.raises(ClassifierError, match=r"w\.pth is "):
        read_checkpoint(path)
