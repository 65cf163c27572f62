"""The samples that the gallery finds, their names and labels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from explorer.images import gallery
from explorer.images.decode import ImageError
from explorer.images.gallery import (
    CIFAR10_NAMES,
    IMAGENET_NAMES,
    KINDS,
    TINY12_CLASSES,
    sample,
    samples,
)

ROOT = Path(__file__).resolve().parents[2]


def test_cifar10_samples() -> None:
    pictures = samples("cifar10")
    assert len(pictures) == 20
    assert {item.read().size for item in pictures} == {(32, 32)}
    assert pictures[0].key == "cifar10-00"
    assert (pictures[0].title, pictures[0].label) == ("cat", 3)
    assert all(
        item.label is not None and item.title.startswith(CIFAR10_NAMES[item.label])
        for item in pictures
    )


def test_imagenet_samples() -> None:
    pictures = samples("imagenet")
    assert len(pictures) == 24
    assert [item.key for item in pictures[-3:]] == ["chelsea", "coffee", "rocket"]
    assert all(item.label is None for item in pictures[-3:])
    assert (pictures[18].title, pictures[18].label) == ("bald eagle", 22)
    assert pictures[-1].read().size == (640, 427)
    assert (pictures[0].key, pictures[0].title, pictures[0].label) == ("panda", "giant panda", 388)
    assert all(not item.title.startswith("class ") for item in pictures)


def test_tiny12_samples_show_its_classes() -> None:
    pictures = {item.key: item for item in samples("tiny12")}
    assert len(pictures) == 11
    assert set(pictures) <= {item.key for item in samples("imagenet")}
    classes = {
        key: TINY12_CLASSES[item.label] for key, item in pictures.items() if item.label is not None
    }
    assert classes["chelsea"] == "cat"
    assert (classes["imagenet-07"], pictures["imagenet-07"].title) == ("car", "jeep 2")
    assert sample("chelsea").label is None


def test_names_are_those_of_the_data_sets() -> None:
    models = pytest.importorskip("torchvision.models")
    categories = models.SqueezeNet1_1_Weights.DEFAULT.meta["categories"]
    assert {index: categories[index] for index in IMAGENET_NAMES} == IMAGENET_NAMES


def test_keys_and_titles_are_unique_and_every_sample_has_a_credit() -> None:
    pictures = [item for kind in ("cifar10", "imagenet") for item in samples(kind)]
    assert len({item.key for item in pictures}) == len(pictures)
    for kind in KINDS:
        assert len({item.title for item in samples(kind)}) == len(samples(kind))
    assert all(item.credit and item.read().mode == "RGB" for item in pictures)


def test_sample_by_key() -> None:
    assert sample("imagenet-07").title == "jeep 2"
    with pytest.raises(
        ImageError,
        match=r"the gallery has no picture 'unicorn'; python -m explorer gallery lists all \d+$",
    ):
        sample("unicorn")


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="unknown kind 'mnist'"):
        samples("mnist")


def test_without_the_packages_there_are_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    uncached = samples.__wrapped__
    monkeypatch.setattr(gallery, "find_spec", lambda name: None)
    assert uncached("cifar10") == ()
    assert [item.key for item in uncached("imagenet")] == ["panda"]


def test_a_sample_whose_file_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        gallery.Sample("key", "title", "credit", tmp_path / "missing.png").read()


def test_importing_images_and_listing_samples_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from explorer.images import decode, gallery\n"
        "assert len(gallery.samples('imagenet')) == 24\n"
        "assert 'torch' not in sys.modules\n"
        "from explorer.images import distances, geometry\n"
        "heavy = {'torchvision', 'skimage', 'matplotlib', 'foolbox', 'scipy', 'streamlit'}\n"
        "print(sorted((heavy | {'explorer.attacks'}) & set(sys.modules)))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "[]"
