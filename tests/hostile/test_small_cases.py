"""The small files that failed once: each gives a value or a sentence, by the way it is used."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from explorer.classifiers.class_labels import parse_labels
from explorer.classifiers.isolated import read_isolated
from explorer.classifiers.user_model_card import UserModelCard
from explorer.datasets.parquet import read_parquet
from explorer.experiments.one_image.attack_image import attack_from
from explorer.experiments.one_image.recipe_file import read_recipe
from explorer.files import shared_folder
from explorer.images.isolated import read_isolated as read_picture
from tests.hostile.contract import KINDS, objection
from tests.hostile.weights import CANARY

READERS = {
    ".pth": read_isolated,
    ".pt": read_isolated,
    ".jpg": read_picture,
    ".png": read_picture,
    ".parquet": read_parquet,
    "recipe": lambda path: attack_from(read_recipe(path.read_text())[0]),
    "labels": lambda path: parse_labels(path.read_text()),
    "card": UserModelCard.read,
}
CASES = [path for path in sorted(shared_folder().glob("cases/*")) if path.suffix != ".md"]


def reader(path: Path):
    kind = path.stem.partition("-")[0] if path.suffix == ".json" else path.suffix
    return READERS[kind]


@pytest.mark.parametrize("path", CASES, ids=[path.name for path in CASES])
def test_it_gives_a_value_or_a_sentence_soon(path, tmp_path, monkeypatch):
    monkeypatch.setenv(CANARY, str(tmp_path / "canary"))
    assert objection(lambda path, _: reader(path)(path), path, tmp_path) is None


@pytest.mark.parametrize(("kind", "index"), [("card", 676), ("parquet", 348), ("weights", 1422)])
def test_what_once_was_no_sentence_stays_one(kind, index, tmp_path, monkeypatch):
    """A number that no float holds, a dictionary with too few values, a reason that has a stop."""
    monkeypatch.setenv(CANARY, str(tmp_path / "canary"))
    content = KINDS[kind].make(Random(f"1 {kind} {index}"))
    assert [objection(read, content, tmp_path) for read in KINDS[kind].readers] == [None, None]
