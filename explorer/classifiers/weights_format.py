"""What a file is that should hold weights: told by its content, whatever its name ends with."""

from __future__ import annotations

import codecs
import re
import struct
from pathlib import Path
from typing import BinaryIO, Literal

import torch

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.readable import first_bytes
from explorer.images.formats import is_picture

SAFETENSORS = ".safetensors"
_START = 512  # bytes, with the place of a tar archive's signature
_GIVE = "give a state dict that torch.save or safetensors wrote"
_PICTURE = f"a picture, not weights; {_GIVE}"
_MEDIA = f"a film or a sound, not weights; {_GIVE}"
_PROGRAM = f"a program, not weights; {_GIVE}"
_WEB_PAGE = "a web page, not weights; download the file that the page links to"
# A message never quotes the file: a path may name one that its reader may not see.
_JSON_TEXT = "JSON, not weights; give the file of the weights"
_TEXT = "text, not weights; give the file of the weights"
_POINTER = "a {} pointer, not weights; fetch the file itself with {}"
_PACKED = "a compressed file ({}); unpack it and give the weights in it"
_EXPORTED = (
    "{}: a network that was exported, which can't be read here. Give the weights that it was made "
    "of: torch.save(model.state_dict(), 'weights.pth') in the program that made it"
)
# What a file is that starts so, and is no weights file.
_OTHER_FILES = {
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
    b"PAR1": f"a Parquet file, not weights; {_GIVE}",
    b"SQLite format 3\0": f"a database, not weights; {_GIVE}",
    b"%PDF": f"a PDF, not weights; {_GIVE}",
    b"\x7fELF": _PROGRAM,
    b"\xca\xfe\xba\xbe": _PROGRAM,
    b"RIFF": _MEDIA,
    b"ID3": _MEDIA,
}
# The same for signatures at another place.
_OTHER_FILES_AT = {
    4: {b"ftyp": _MEDIA, b"TFL3": _EXPORTED.format("a TensorFlow Lite file")},
    257: {b"ustar": _PACKED.format("tar")},
}
_ONNX = re.compile(rb"\x08[\x01-\x1f][\x12\x1a\x3a]")  # the version, then the producer or graph
_JSON = re.compile(rb"\{\s*[\"}]|\[\s*([\"{}\[\]-]|\d)")
_ANNEX = b"/annex/objects/"
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"  # with these the files begin that torch writes
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
    if start.startswith((_ZIP, _PICKLE)):
        return "torch"
    if kind := _other_file(start):
        raise ClassifierError(f"{name} is {kind}")
    if path.suffix == SAFETENSORS:  # what a damaged file was is known from its name alone
        return "safetensors"
    raise ClassifierError(f"{name} is no weights file of torch or safetensors; {_GIVE}")


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
    """What a file is that begins so; empty if that is not known."""
    if is_picture(start):
        return _PICTURE
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, kind in _OTHER_FILES.items():
        if text.startswith((signature, signature.upper())):
            return kind
    for place, signatures in _OTHER_FILES_AT.items():
        for signature, kind in signatures.items():
            if start[place:].startswith(signature):
                return kind
    if _ANNEX in start:
        return _POINTER.format("git-annex", "git annex get")
    if _ONNX.match(start):
        return _EXPORTED.format("an ONNX file")
    if not _is_text(start):
        return ""
    return _JSON_TEXT if _JSON.match(text) else _TEXT


def _is_text(start: bytes) -> bool:
    """Whether it is a text, of which the last letter may be cut."""
    is_utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "latin-1"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        words = " ".join(text.split())
        if words and words.isprintable():
            return True
    return False
