"""The gallery finds the samples on disk, and names them rightly."""

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
    found = samples("cifar10")
    assert len(found) == 20
    assert {item.read().size for item in found} == {(32, 32)}
    assert found[0].key == "cifar10-00"
    assert (found[0].title, found[0].label) == ("cat", 3)
    assert all(
        item.label is not None and item.title.startswith(CIFAR10_NAMES[item.label])
        for item in found
    )


def test_imagenet_samples() -> None:
    found = samples("imagenet")
    assert len(found) == 24
    assert [item.key for item in found[-3:]] == ["chelsea", "coffee", "rocket"]
    assert all(item.label is None for item in found[-3:])
    assert (found[18].title, found[18].label) == ("bald eagle", 22)
    assert found[-1].read().size == (640, 427)
    assert (found[0].key, found[0].title, found[0].label) == ("panda", "giant panda", 388)
    assert all(not item.title.startswith("class ") for item in found)


def test_tiny12_samples_are_those_that_show_one_of_its_classes() -> None:
    found = {item.key: item for item in samples("tiny12")}
    assert len(found) == 11
    assert set(found) <= {item.key for item in samples("imagenet")}
    shown = {
        key: TINY12_CLASSES[item.label] for key, item in found.items() if item.label is not None
    }
    assert shown["chelsea"] == "cat"
    assert (shown["imagenet-07"], found["imagenet-07"].title) == ("car", "jeep 2")
    assert sample("chelsea").label is None


def test_names_are_those_of_the_data_sets() -> None:
    models = pytest.importorskip("torchvision.models")
    categories = models.SqueezeNet1_1_Weights.DEFAULT.meta["categories"]
    assert {index: categories[index] for index in IMAGENET_NAMES} == IMAGENET_NAMES


def test_keys_and_titles_are_unique_and_every_sample_has_a_credit() -> None:
    every = [item for kind in ("cifar10", "imagenet") for item in samples(kind)]
    assert len({item.key for item in every}) == len(every)
    for kind in KINDS:
        assert len({item.title for item in samples(kind)}) == len(samples(kind))
    assert all(item.credit and item.read().mode == "RGB" for item in every)


def test_sample_by_key() -> None:
    assert sample("imagenet-07").title == "jeep 2"
    with pytest.raises(
        ImageError,
        match=r"the gallery has no picture 'unicorn'; use one of cifar10-00, .*, rocket\.$",
    ):
        sample("unicorn")


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="unknown kind 'mnist'"):
        samples("mnist")


def test_without_the_packages_there_are_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    uncached = samples.__wrapped__
    monkeypatch.setattr(gallery, "find_spec", lambda name: None)
    assert uncached("cifar10") == ()
    assert [each.key for each in uncached("imagenet")] == ["panda"]  # ours


def test_a_sample_whose_file_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        gallery.Sample("gone", "gone", "nobody", tmp_path / "gone.png").read()


def test_importing_images_and_listing_samples_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from explorer.images import decode, gallery\n"
        "assert len(gallery.samples('imagenet')) == 24\n"
        "assert 'torch' not in sys.modules\n"
        "from explorer.images import distances, geometry\n"
        "heavy = {'torchvision', 'skimage', 'matplotlib', 'foolbox', 'scipy', 'streamlit', 'explorer.attacks'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
