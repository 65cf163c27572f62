"""Data sets of the Hugging Face Hub, with its library and without any server."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer.__main__ import main
from explorer.classifiers import hub as classifiers_hub
from explorer.datasets.labelled import DataError
from explorer.datasets.sources import read_source
from explorer.images.decode import decode_image
from tests.images.pictures import encoded

datasets = pytest.importorskip("datasets")
huggingface_hub = pytest.importorskip("huggingface_hub")
LEVELS = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
PICTURES = [
    encoded(Image.fromarray(LEVELS)),  # 16 bits
    encoded(Image.new("RGBA", (8, 8), (200, 0, 0, 51))),
    encoded(Image.new("RGB", (8, 8), (3, 4, 5))),
]


class ClassifierInput:
    labels = ("dog", "cat")
    input_size = (8, 8)
    channels = 3
    resize = None
    interpolation = "bilinear"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A Hub with OWNER/NAME of the splits train and test; what was loaded from it."""
    features = datasets.Features(
        {
            "id": datasets.Value("int64"),
            "photo": datasets.Image(),
            "kind": datasets.ClassLabel(names=["cat", "dog"]),
        }
    )
    cells = [{"bytes": picture, "path": None} for picture in PICTURES]
    rows = {"id": [1, 2, 3], "photo": cells, "kind": [0, 1, 1]}
    datasets.Dataset.from_dict(rows, features).to_parquet(tmp_path / "test.parquet")
    loaded: list[dict[str, Any]] = []

    def load(name: str, config: str | None, **options: Any) -> Any:
        loaded.append({"name": name, "config": config, **options})
        path = str(tmp_path / "test.parquet")
        dataset = datasets.Dataset.from_parquet(path, cache_dir=str(tmp_path))
        return dataset.to_iterable_dataset() if options["streaming"] else dataset

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *_, **__: None)
    monkeypatch.setattr(classifiers_hub, "hub_if_reachable", lambda: nullcontext(True))
    monkeypatch.setattr(datasets, "load_dataset", load)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda *_, **__: ["default"])
    monkeypatch.setattr(datasets, "get_dataset_split_names", lambda *_, **__: ["train", "test"])
    return loaded


@pytest.mark.parametrize("limit", [None, 2])
def test_pictures_and_classes_are_those_of_a_file(hub, limit):
    data = read_source("hf://owner/name@v1/plain:test", ClassifierInput(), limit)
    assert hub == [
        {
            "name": "owner/name",
            "config": "plain",
            "split": "test",
            "revision": "v1",
            "streaming": limit is not None,
        }
    ]
    assert data.labels.tolist() == [1, 0, 0][:limit]
    for pixels, picture in zip(data.images, PICTURES, strict=False):
        right = np.asarray(decode_image(picture, "a").image)
        assert np.array_equal(pixels.permute(1, 2, 0).numpy(), right)


def test_pictures_may_be_files_beside_the_table(hub, tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(PICTURES[2])
    rows = {"image": [str(tmp_path / "a.png")], "label": ["dog"]}
    dataset = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: dataset)
    data = read_source("hf://name:test", ClassifierInput())
    assert (data.labels.tolist(), data.images[0, :, 0, 0].tolist()) == ([0], [3, 4, 5])


def test_a_split_is_named(hub):
    with pytest.raises(
        DataError, match="has the splits train, test; name one, such as hf://a/b:tr"
    ):
        read_source("hf://a/b", ClassifierInput())


@pytest.mark.parametrize("source", ["hf://", "hf://a/b/c/d", "hf://a b"])
def test_other_addresses_are_refused(source):
    with pytest.raises(DataError, match="write hf://OWNER/NAME:SPLIT"):
        read_source(source, ClassifierInput())


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"needs the datasets library: pip install 'adversarial-ex"):
        read_source("hf://a/b:test", ClassifierInput())


def test_the_command_line_names_columns_and_source(hub, capsys):
    command = "evaluate --model cifar10-standard --data hf://a/b:test --epsilon 0 --json"
    assert main([*command.split(), "--image-column", "photo", "--label-column", "kind"]) == 0
    assert '"n": 3' in capsys.readouterr().out
    assert main([*command.split(), "--image-column", "none"]) == 2
    assert "has no column none; it has id, photo, kind" in capsys.readouterr().err
