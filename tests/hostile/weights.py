"""Weights: headers that lie, pickles that want to run code, and tensors that are none."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import torch
from safetensors.torch import save

from tests.hostile.mutations import EDGES, damaged

CANARY = "EXPLORER_TEST_CANARY"  # a path in the environment; nothing may ever write there
_NAMES = ("a", "", "__metadata__", "module." * 20, "x" * 100_000, "a\nb", "\ud800", "ε", "../a")


def weights(random: Random) -> tuple[str, bytes]:
    """The suffix and the content of one file."""
    make = random.choice((_lying_header, _lying_header, _gadget, _odd_tensors, _zipped, _broken))
    return make(random)


@cache
def _intact() -> tuple[tuple[str, bytes], ...]:
    state = {
        "conv.weight": torch.ones(4, 3, 3, 3),
        "conv.bias": torch.ones(4),
        "n": torch.tensor(3),
    }
    return (
        (".safetensors", save(state)),
        (".pth", saved(state)),
        (".pt", saved({"state_dict": state, "epoch": 3})),
        (".pth", saved(state, _use_new_zipfile_serialization=False)),
    )


def saved(content: object, **options: bool) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(content, buffer, **options)
    return _without_addresses(buffer.getvalue())


def _without_addresses(data: bytes) -> bytes:
    """A file in torch's older format names tensors by their place in memory."""
    numbers: dict[bytes, int] = {}

    def number(match: re.Match[bytes]) -> bytes:
        place = match[2]
        return match[1] + b"%0*d" % (len(place), numbers.setdefault(place, len(numbers)))

    return re.sub(rb"(X[\x0d-\x10]\0\0\0)(\d{13,16})", number, data)


def _broken(random: Random) -> tuple[str, bytes]:
    suffix, data = random.choice(_intact())
    return random.choice((suffix, ".pth", ".safetensors")), damaged(random, data)


def _lying_header(random: Random) -> tuple[str, bytes]:
    """A safetensors file whose header says what is not so."""
    count = random.choice((0, 1, 3, 3, 50, 50, 5000))
    body = bytes(16 * min(count, 50))
    tensors = [_entry(random, index) for index in range(count)]
    text = "{" + ",".join(tensors) + "}"
    if random.random() < 0.3:
        text = random.choice(
            (
                "[" * 100_000,
                '{"a":' * 100_000,
                "{}" + " " * 2_000_000,
                '{"__metadata__":' + json.dumps({str(i): "v" * 9 for i in range(9999)}) + "}",
                '{"__metadata__": 5}',
                "null",
                '"text"',
                "{",
                '{"a":{"dtype":"F32","shape":[1e9],"data_offsets":[0,4]}}',
                text + text,
            )
        )
    encoded = text.encode(errors="surrogatepass")
    length = random.choice((len(encoded), len(encoded), len(encoded), *EDGES, 2**63, 2**64 - 1))
    return ".safetensors", struct.pack("<Q", length) + encoded + body


def _entry(random: Random, index: int) -> str:
    name = random.choice((f"t{index}", f"t{index}", f"t{index}", *_NAMES[:4]))
    start, end = 16 * index, 16 * index + 16
    if random.random() < 0.2:
        start = random.choice((0, -1, *EDGES, 2**63, 2**64))
    if random.random() < 0.2:
        end = random.choice((0, -1, *EDGES, 2**63, 2**64))
    shape = random.choice(([4], [2, 2], [4], [4], [0], [], [2**32, 2**32], [-4], [1] * 99))
    dtype = random.choice(("F32", "F32", "F32", "C64", "BOOL", "F8_E5M2", "F4", "X", "U64"))
    return (
        json.dumps(name)
        + ":"
        + json.dumps({"dtype": dtype, "shape": shape, "data_offsets": [start, end]})
    )


class _Calls:
    """Pickles as a call of a function, which a reader that trusts the file makes."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self.call


def _opcodes(module: str, name: str, argument: str) -> bytes:
    return f"c{module}\n{name}\n(V{argument}\ntR.".encode()


def _gadget(random: Random) -> tuple[str, bytes]:
    """A file that writes the canary if any of it is run."""
    canary = os.environ[CANARY]
    touch = f"open({canary!r}, 'w').write('ran')"
    calls = (
        _Calls(os.system, f"touch {canary}"),
        _Calls(eval, touch),
        _Calls(exec, touch),
        _Calls(getattr, _Calls(__import__, "os"), "system"),
        _Calls(open, canary, "w"),
        _Calls(torch.load, canary),
        _Calls(torch.hub.download_url_to_file, "http://127.0.0.1:9/", canary),
    )
    if random.random() < 0.4:
        module, name = random.choice(
            (
                ("os", "system"),
                ("posix", "system"),
                ("subprocess", "getoutput"),
                ("builtins", "eval"),
                ("__builtin__", "eval"),
                ("torch.serialization", "load"),
                ("torch", "os.system"),
                ("torch._utils", "_rebuild_tensor_v2.__globals__"),
                ("runpy", "run_path"),
                ("collections", "OrderedDict"),
                ("_codecs", "encode"),
            )
        )
        raw = _opcodes(module, name, random.choice((f"touch {canary}", touch)))
        return ".pth", raw if random.random() < 0.5 else _zip_of(raw)
    call = random.choice(calls)
    content = random.choice((call, {"state_dict": call}, {"a": torch.ones(2), "b": call}, [call]))
    if random.random() < 0.3:
        return ".pth", pickle.dumps(content, protocol=random.choice((0, 2, 4)))
    return ".pth", saved(content, _use_new_zipfile_serialization=random.random() < 0.5)


def _zip_of(data: bytes, compression: int = zipfile.ZIP_STORED, **files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        members = {"data.pkl": data, "version": b"3\n", "byteorder": b"little", **files}
        for name, content in members.items():
            member = zipfile.ZipInfo(f"archive/{name}")  # without the time
            archive.writestr(member, content, compression)
    return buffer.getvalue()


@cache
def _bomb(size: int) -> bytes:
    return _zip_of(bytes(size), zipfile.ZIP_DEFLATED)


def _zipped(random: Random) -> tuple[str, bytes]:
    """Archives that become far larger than the file, or hold something else."""
    size = random.choice((1000, 1_000_000, 10_000_000))
    deflated = zipfile.ZIP_DEFLATED
    text = pickle.dumps("a", protocol=2)[:-1]  # without its end
    data = random.choice(
        (
            lambda: _bomb(random.choice((1000, 800_000_000))),
            lambda: _zip_of(b"\x80\x02" + b"(" * size, deflated),
            lambda: _zip_of(b"\x80\x02" + b"]" * (size // 10) + b"a" * 99, deflated),
            lambda: _zip_of(text + b"2" * size + b".", deflated),
            lambda: _zip_of(b"\x80\x02X\xff\xff\xff\x7fabc"),
            lambda: _zip_of(b"\x80\x02\x8a\xff" + b"\x7f" * 255 + b"."),
            lambda: _zip_of(b"I" + b"9" * 100_000 + b"\n."),
            lambda: _zip_of(pickle.dumps({}, 2), **{f"f{i}": b"" for i in range(3000)}),
            lambda: _zip_of(pickle.dumps({"a": [[]] * 9}, 2), constants=bytes(99)),
            lambda: _zip_of(b""),
            lambda: _nested(random.choice((500, 50_000))),
        )
    )()
    return random.choice((".pth", ".pt")), data


def _nested(depth: int) -> bytes:
    """Dictionaries within dictionaries, under the key that readers open."""
    opened = b"}X\x0a\0\0\0state_dict" * depth
    return _zip_of(b"\x80\x02" + opened + b"}" + b"s" * depth + b".")


def _odd_tensors(random: Random) -> tuple[str, bytes]:
    """State dicts of torch's own making that hold what is no weight, or not where it seems."""
    holds_itself: dict[str, object] = {}
    holds_itself["state_dict"] = holds_itself
    listed: list[object] = []
    listed.append(listed)
    one = torch.ones(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)
    values: tuple[Callable[[], object], ...] = (
        lambda: one.expand(random.choice((9, 10**6, 4 * 10**8, 2**60))),
        lambda: torch.ones(1000).as_strided((10**6, 1000), (0, 1)),
        lambda: torch.ones(9).as_strided((3, 3), (1, 1)),
        lambda: torch.empty(2**40, device="meta"),
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.eye(3).to_sparse_csr(),
        lambda: quantised,
        lambda: torch.tensor(1.0),
        lambda: torch.zeros(0),
        lambda: torch.tensor(float("nan")),
        lambda: torch.ones(2, dtype=torch.complex64),
        lambda: torch.ones(4).to(torch.float8_e4m3fn),
        lambda: torch.ones(2).requires_grad_(),
        lambda: torch.nn.Parameter(torch.ones(2)),
        lambda: torch.ones(2).conj(),
        lambda: torch._neg_view(torch.ones(2)),
        lambda: torch.ones(3, 2).T,
        lambda: holds_itself,
        lambda: listed,
        lambda: None,
        lambda: "text" * 1000,
        lambda: 10**1000,
        lambda: torch.Size([1]),
        lambda: torch.float32,
        lambda: torch.device("cuda:7"),
    )
    name: object = random.choice((*_NAMES, 5, None, (1, 2), torch.float32, 1.5))
    content: object = {name: random.choice(values)(), "conv.weight": torch.ones(2, 2)}
    for _ in range(random.choice((0, 0, 1, 20))):
        content = {random.choice(("state_dict", "model", "model_ema")): content}
    if random.random() < 0.1:
        content = random.choice(values)()
    if random.random() < 0.1:
        content = {"normalizer.new_mean": random.choice(values)(), "model.a": one}
    data = saved(content, _use_new_zipfile_serialization=random.random() < 0.7)
    if random.random() < 0.2:
        data = damaged(random, data)
    return ".pth", data
