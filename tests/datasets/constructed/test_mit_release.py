"""The authors' release: lists of float tensors, read without running code from the file."""

from __future__ import annotations

import os

import pytest
import torch

from explorer.datasets.constructed.constructions import D_DET
from explorer.datasets.constructed.mit_release import CIFAR10_CLASSES, release_sets
from explorer.datasets.constructed.read import read_set
from explorer.datasets.labelled import DataError


def release(folder, images=None, labels=None):
    """A set as the authors saved theirs: batches of float images."""
    folder.mkdir(parents=True)
    images = [torch.rand(4, 3, 32, 32), torch.rand(2, 3, 32, 32)] if images is None else images
    labels = [torch.tensor([0, 1, 2, 9]), torch.tensor([3, 3])] if labels is None else labels
    # In the format of the torch of 2019.
    torch.save(images, folder / "CIFAR_ims", _use_new_zipfile_serialization=False)
    torch.save(labels, folder / "CIFAR_lab")
    return folder


def test_the_authors_release_is_read(tmp_path):
    folder = release(tmp_path / "release" / "ddet_CIFAR")
    dataset = read_set(folder)
    assert (dataset.name, dataset.title, dataset.about) == ("d_det", D_DET.title, {})
    assert dataset.data.names == CIFAR10_CLASSES
    assert dataset.data.labels.tolist() == [0, 1, 2, 9, 3, 3]
    assert dataset.target is None
    images = torch.cat(torch.load(folder / "CIFAR_ims", weights_only=True))
    assert (dataset.data.images.float() / 255 - images).abs().max() <= 0.5 / 255 + 1e-6
    assert torch.equal(read_set(folder, limit=5).data.images, dataset.data.images[:5])


def test_a_set_of_the_release_must_be_named(tmp_path):
    release(tmp_path / "release" / "ddet_CIFAR")
    release(tmp_path / "release" / "robust_CIFAR")
    assert [path.name for path in release_sets(tmp_path / "release")] == [
        "robust_CIFAR",
        "ddet_CIFAR",
    ]
    sentence = r"holds 2 sets, robust_CIFAR, ddet_CIFAR; name one, such as .*robust_CIFAR"
    with pytest.raises(DataError, match=sentence):
        read_set(tmp_path / "release")


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ("code-was-run",)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        ([], None, "no list of tensors"),
        ({"a": 1}, None, "no list of tensors"),
        ([torch.rand(6, 32, 32, 3)], None, r"it should be float \[N, 3, H, W\]"),
        ([torch.rand(4, 3, 8, 8), torch.rand(2, 3, 9, 9)], None, "of one size"),
        ([torch.zeros(6, 3, 8, 8, dtype=torch.uint8)], None, r"should be float"),
        ([255 * torch.rand(6, 3, 8, 8)], None, r"values outside \[0, 1\]"),
        ([torch.full((6, 3, 8, 8), float("nan"))], None, r"values outside \[0, 1\]"),
        ([torch.rand(0, 3, 8, 8)], None, "holds no images"),
        ([torch.rand(5, 3, 8, 8)], None, "5 images and 6 labels"),
        ([torch.tensor(0.5)], None, r"should be float \[N, 3, H, W\]"),
        ([torch.rand(6, 3, 8, 8).to_sparse()], None, "CIFAR_ims holds sparse tensors"),
        ([torch.rand(6, 3, 8, 8, device="meta")], None, "CIFAR_ims holds empty .meta. tensors"),
        ([torch.rand(6, 3, 8, 8).to(torch.float8_e5m2)], None, "is no file of tensors"),
        (None, [torch.arange(6).to_sparse()], "CIFAR_lab holds sparse tensors"),
        (None, [torch.rand(6)], "a whole number for each image"),
        (None, [torch.tensor([0, 1, 2, 3, 4, 10])], "labels from 0 to 10 for 10 classes"),
        (None, [torch.tensor([0, 1, 2, 3, 4, -1])], "labels from -1 to 4"),
        ([RunsCode()], None, "is no file of tensors"),
    ],
)
def test_a_malformed_release_is_refused_with_its_fault(
    tmp_path, monkeypatch, images, labels, words
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=words):
        read_set(release(tmp_path / "drand_CIFAR", images, labels))
    assert not (tmp_path / "code-was-run").exists()


@pytest.mark.filterwarnings("ignore")  # torch is about to drop such tensors
def test_quantised_images_are_refused(tmp_path):
    images = torch.quantize_per_tensor(torch.rand(6, 3, 8, 8), 0.1, 0, torch.quint8)
    with pytest.raises(DataError, match="CIFAR_ims holds quantised tensors"):
        read_set(release(tmp_path / "a", [images]))


@pytest.mark.parametrize("text", ['{"classes": 5}', '{"classes": true}', "[" * 100_000])
def test_an_edited_about_is_refused(tmp_path, text):
    folder = release(tmp_path / "a")
    (folder / "about.json").write_text(text)
    with pytest.raises(DataError, match=r"about.json (has classes|can't be read)"):
        read_set(folder)


def test_an_incomplete_release_is_refused(tmp_path):
    folder = release(tmp_path / "a")
    whole = (folder / "CIFAR_ims").read_bytes()
    for cut in (b"", whole[:100], whole[: len(whole) // 2], b"<html>not found</html>"):
        (folder / "CIFAR_ims").write_bytes(cut)
        with pytest.raises(DataError, match="CIFAR_ims is no file of tensors, or it is cut short"):
            read_set(folder)
    (folder / "CIFAR_ims").unlink()
    with pytest.raises(DataError, match="CIFAR_ims is missing"):
        read_set(folder)
