"""What a file is that should hold weights: told by its content, whatever its name ends with."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Literal

import torch

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.readable import first_bytes
from explorer.errors import short

SAFETENSORS = ".safetensors"
_START = 512  # bytes, with the place of a tar archive's signature
_PICTURE = "a picture, not weights; give a state dict that torch or safetensors wrote"
_WEB_PAGE = "a web page, not weights; download the file that the page links to"
_POINTER = "a {} pointer, not weights; fetch the file itself with {}"
_PACKED = "a compressed file ({}); unpack it and give the weights in it"
# What a file is that starts so, and is no weights file.
_OTHER_FILES = {
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"RIFF": _PICTURE,
    b"<": _WEB_PAGE,
    b"version https://git-lfs": _POINTER.format("Git LFS", "git lfs pull"),
    b"\x1f\x8b": _PACKED.format("gzip"),
    b"BZh": _PACKED.format("bzip2"),
    b"\xfd7zXZ\0": _PACKED.format("xz"),
    b"7z\xbc\xaf\x27\x1c": _PACKED.format("7z"),
    b"Rar!": _PACKED.format("RAR"),
    b"\x28\xb5\x2f\xfd": _PACKED.format("Zstandard"),
    b"\x89HDF": "an HDF5 file, as Keras writes it; give weights that torch or safetensors wrote",
    b"\x93NUMPY": "a NumPy array, not a network's weights; give a state dict that torch wrote",
    b"GGUF": "a GGUF file of a language model, not weights of an image classifier",
    b"%PDF": "a PDF, not weights; give a state dict that torch or safetensors wrote",
}
_ANNEX, _TAR = b"/annex/objects/", (257, b"ustar")
_ZIP = b"PK\x03\x04"
_TORCHSCRIPT = (
    "a TorchScript archive: a program, which is not run here. Give the weights that it was made "
    "of: torch.save(model.state_dict(), 'weights.pth') in the program that made it"
)
_OTHER_ZIP = "a zip archive that torch did not write; unpack it and give the weights in it"


def weights_format(path: Path, name: str) -> Literal["safetensors", "torch"]:
    """What the file was written with.

    ``name`` is what messages call it. Raises :class:`ClassifierError` when it is missing, and with
    what it is when it is something else.
    """
    start = first_bytes(path, "weights file", _START)
    if not start:
        raise ClassifierError(f"{name} is empty; download or save it again")
    if _is_safetensors(start):
        return "safetensors"
    if kind := _other_file(start):
        raise ClassifierError(f"{name} is {kind}")
    # What a damaged file was is known from its name alone.
    is_damaged = path.suffix == SAFETENSORS and not start.startswith((_ZIP, b"\x80"))
    return "safetensors" if is_damaged else "torch"


def refuse_programs(file: BinaryIO, name: str) -> None:
    """Raise :class:`ClassifierError` for a zip archive that holds anything but a pickle of torch's.

    It is read by torch's own reader, so that ``torch.load`` sees the same archive.
    """
    is_zip = file.read(len(_ZIP)) == _ZIP
    file.seek(0)
    if not is_zip:
        return
    try:
        records = torch._C.PyTorchFileReader(file).get_all_records()
    except RuntimeError as error:
        damaged = "failed reading zip archive" in str(error)
        kind = "a damaged archive (truncated?); download it again" if damaged else _OTHER_ZIP
        raise ClassifierError(f"{name} is {kind}") from None
    finally:
        file.seek(0)
    if "constants.pkl" in records:
        raise ClassifierError(f"{name} is {_TORCHSCRIPT}")
    if "data.pkl" not in records:
        raise ClassifierError(f"{name} is {_OTHER_ZIP}")


def _is_safetensors(start: bytes) -> bool:
    """Whether there is the length of a header, and the beginning of one."""
    return len(start) > 8 and start[8:9] == b"{" and 0 < struct.unpack("<Q", start[:8])[0] < 2**40


def _other_file(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, kind in _OTHER_FILES.items():
        if text.startswith((signature, signature.upper())):
            return kind
    if _ANNEX in start:
        return _POINTER.format("git-annex", "git annex get")
    if start[_TAR[0] :].startswith(_TAR[1]):
        return _PACKED.format("tar")
    if text.startswith((b"{", b"[")):
        return f"JSON, not weights (it begins with {_words(text)}); give the file of the weights"
    if _is_text(text):
        return f"text, not weights (it begins with {_words(text)}); download the weights again"
    return ""


def _is_text(start: bytes) -> bool:
    try:
        return start[: _START - 4].decode("ascii").replace("\n", "").replace("\r", "").isprintable()
    except UnicodeDecodeError:
        return False


def _words(text: bytes) -> str:
    return short(repr(text[:40].decode("utf-8", "replace")))
