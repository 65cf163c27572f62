"""What every file must give: a value or one sentence, soon and in little memory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from explorer.attacks import PGD
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.class_labels import parse_labels
from explorer.classifiers.isolated import read_isolated
from explorer.classifiers.model_card import ModelCard
from explorer.classifiers.user_model_card import UserModelCard
from explorer.datasets.constructed.read import read_set
from explorer.datasets.parquet import read_parquet
from explorer.errors import UserError, is_out_of_memory
from explorer.experiments.one_image.attack_image import attack_from
from explorer.experiments.one_image.recipe import parse_crop, parse_number
from explorer.experiments.one_image.recipe_file import read_recipe
from explorer.images.decode import decode_image
from explorer.images.isolated import decode_isolated
from explorer.ui.shared.address import is_infinite
from tests.hostile import pictures, tables, texts, weights

SECONDS, MEBIBYTES = 2.0, 500
_OWN_PROCESS = "explorer.sandbox.child"  # the only program that may be started


@dataclass(frozen=True)
class Kind:
    """How files of a kind are made, and what reads them: several readers get the same file."""

    make: Callable[[Random], Any]
    readers: tuple[Callable[[Any, Path], object], ...]


def _read_weights(content: tuple[str, bytes], folder: Path) -> object:
    return read_isolated(_written(folder / f"w{content[0]}", content[1]))


def _read_safetensors(content: tuple[str, bytes], folder: Path) -> object:
    suffix, data = content
    path = _written(folder / f"w{suffix}", data)
    return read_checkpoint(path) if suffix == ".safetensors" else None


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _text(read: Callable[[Path], object]) -> Callable[[str, Path], object]:
    def write_and_read(text: str, folder: Path) -> object:
        return read(_written(folder / "text.json", text.encode(errors="surrogatepass")))

    return write_and_read


def _rerun(text: str, _: Path) -> PGD:
    recipe, _ = read_recipe(text)
    recipe.command()
    return attack_from(recipe)


KINDS = {
    "picture": Kind(
        pictures.picture,
        (
            lambda data, _: np.asarray(decode_image(data, "a").image),
            lambda data, _: np.asarray(decode_isolated(data, "a").image),
        ),
    ),
    "weights": Kind(weights.weights, (_read_weights, _read_safetensors)),
    "recipe": Kind(texts.recipe, (_rerun,)),
    "labels": Kind(texts.labels, (lambda text, _: parse_labels(text),)),
    "card": Kind(texts.card, (_text(UserModelCard.read), _text(ModelCard.read))),
    "parquet": Kind(
        tables.table,
        (
            lambda data, folder: read_parquet(_written(folder / "t.parquet", data)),
            lambda data, folder: read_set(_written(folder / "t.parquet", data), 10),
        ),
    ),
    "address": Kind(
        texts.address,
        (
            lambda text, _: parse_number(text),
            lambda text, _: parse_crop(text),
            lambda text, _: is_infinite(text),
        ),
    ),
}


def objection(read: Callable[[Any, Path], object], content: Any, folder: Path) -> str | None:
    """What is wrong with how ``read`` took ``content``; None if nothing is."""
    before = _restart_peak()
    start = time.process_time()
    problem = _outcome(read, content, folder)
    seconds, peak = time.process_time() - start, _peak() - before
    if seconds > SECONDS:
        problem = problem or f"{seconds:.1f} s"
    if peak > MEBIBYTES:
        problem = problem or f"{peak:.0f} MiB"
    canary = Path(os.environ[weights.CANARY])
    if canary.exists():
        canary.unlink()
        problem = "code of the file was run"
    return problem


def _outcome(read: Callable[[Any, Path], object], content: Any, folder: Path) -> str | None:
    try:
        read(content, folder)
    except UserError as error:
        return _no_sentence(str(error))
    except Exception as error:
        return None if is_out_of_memory(error) else f"{type(error).__name__}: {error}"[:300]
    return None


def _no_sentence(text: str) -> str | None:
    """What keeps ``text`` from being a sentence for a person."""
    if not text or len(text) > 1000 or "\n" in text or text.endswith("."):
        return f"no sentence: {text[:300]!r}"
    return None


def _restart_peak() -> float:
    """Begin to measure the process's peak anew; the MiB that it has now."""
    if sys.platform != "linux":
        return 0
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> float:
    if sys.platform != "linux":
        return 0
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def forbid_programs_and_connections() -> None:
    """Make the process raise when anything but a reading process is started, or a connection."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        forbidden = event.startswith(("os.system", "os.exec", "os.spawn", "socket.connect"))
        own = event == "subprocess.Popen" and _OWN_PROCESS in arguments[1]
        if forbidden or (event == "subprocess.Popen" and not own):
            raise AssertionError(f"a file caused {event}")

    sys.addaudithook(audit)
