"""``hf://`` against a Hub on 127.0.0.1: what is fetched, what is kept, and what is said."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.datasets.hub_server import serving

datasets = pytest.importorskip("datasets")
NAME, SHARDS = "owner/tiny", 2
NOWHERE = "http://127.0.0.1:9"  # the port "discard", on which nothing listens
# In a process of its own, since the libraries read their address when they are imported.
_READ = """
import json, sys
from explorer.datasets.columns import ColumnNames
from explorer.datasets.labelled import DataError
from explorer.datasets.sources import read_source
class Input:
    labels, input_size, channels = ("dog", "cat"), (8, 8), 3
    resize, interpolation = None, "bilinear"
for source, limit, image, label in json.loads(sys.argv[1]):
    try:
        data = read_source(source, Input(), limit, ColumnNames(image, label))
        result = [data.images[:, 0, 0, 0].tolist(), data.labels.tolist()]
    except DataError as error:
        result = str(error)
    print(json.dumps(result))
"""


def png(red: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def shard(reds: tuple[int, int]) -> bytes:
    kind = datasets.ClassLabel(names=["cat", "dog"])
    features = {"id": datasets.Value("int64"), "photo": datasets.Image(), "kind": kind}
    pictures = [{"bytes": png(red), "path": None} for red in reds]
    rows = {"id": [1, 2], "photo": pictures, "kind": [0, 1]}
    buffer = io.BytesIO()
    datasets.Dataset.from_dict(rows, datasets.Features(features)).to_parquet(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {
        "README.md": b"# Tiny\n",
        **{
            f"data/{split}-{index:05}-of-{SHARDS:05}.parquet": shard((first + index, 50 + index))
            for split, first in (("train", 10), ("test", 20))
            for index in range(SHARDS)
        },
    }


def read(home: Path, address: str, *sources: tuple[Any, ...]) -> list[Any]:
    """What the sources (name, limit, picture's column, label's column) hold, or the sentence."""
    values = [(*source, *(None,) * (4 - len(source))) for source in sources]
    surroundings = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home)}
    surroundings.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [sys.executable, "-c", _READ, json.dumps(values)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=surroundings,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_shards_are_fetched_and_found_again_without_the_hub(tmp_path, files):
    with serving(NAME, files) as address:
        whole, first, *sentences = read(
            tmp_path,
            address,
            ("hf://owner/tiny:test",),
            ("hf://owner/tiny:train", 3),
            ("hf://owner/tiny",),
            ("hf://owner/tiny:validation",),
            ("hf://owner/tiny:validation", 2),
            ("hf://owner/tiny/other:test",),
            ("hf://owner/tiny@v9:test",),
            ("hf://owner/nothing:test",),
            ("hf://owner/tiny:test", None, "nothing"),
            ("hf://owner/tiny:test", None, "kind"),
            ("hf://owner/tiny:test", None, None, "photo"),
        )
    assert whole == [[20, 50, 21, 51], [1, 0, 1, 0]]
    assert first == [[10, 50, 11], [1, 0, 1]]
    for sentence, words in zip(
        sentences,
        (
            "hf://owner/tiny has the splits train, test; name one, such as hf://owner/tiny:train",
            "hf://owner/tiny has no split validation; it has train, test",
            "hf://owner/tiny has no split validation; it has train, test",
            "'other' not found. Available: ['default']",
            "owner/tiny has no revision v9; leave @v9 out",
            f"{address} has no data set owner/nothing that is open to all; check the name",
            "hf://owner/tiny:test has no column nothing; it has id, photo, kind",
            "the column kind of hf://owner/tiny:test holds no pictures: its type is int64",
            "the column photo of hf://owner/tiny:test holds no labels: its type is struct",
        ),
        strict=True,
    ):
        assert words in sentence

    again, other = read(tmp_path, NOWHERE, ("hf://owner/tiny:test",), ("hf://owner/other:test",))
    assert again == whole
    assert other == (
        f"hf://owner/other:test is not on this machine, and {NOWHERE} can't be reached; data that "
        f"were fetched before are in {tmp_path} and need no network"
    )
