"""Published weights: a file on this machine is found by its name, others have an address."""

from __future__ import annotations

import pytest
from torchvision.models import get_model_weights

from explorer.classifiers import catalogue
from explorer.classifiers.downloads import local_file, local_imagenet, remote_weights
from explorer.classifiers.imagenet import TORCHVISION_FILES


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("resnet18-f37072fd.pth", "torchvision:resnet18"),
        ("resnet18-5c106cde.pth", "torchvision:resnet18"),
        ("resnet18.pth", "torchvision:resnet18"),
        ("squeezenet1_1-imagenet1k.safetensors", "torchvision:squeezenet1_1"),
        ("vit_b_16.safetensors", "torchvision:vit_b_16"),
        ("resnet18_l2_eps3.ckpt", "madry:resnet18_l2_eps3"),
        ("resnet18_l2_eps3-converted.safetensors", "madry:resnet18_l2_eps3"),
        ("resnet50_linf_eps4.0.pth", "madry:resnet50_linf_eps4.0"),
        ("vit_b_16_swag-9ac1b537.pth", None),
        ("resnet18_l2_eps5.ckpt", None),
        ("resnet50.ckpt", None),
        ("googlenet-1378be20.pth.part", None),
        ("googlenet-1378be20.txt", None),
    ],
)
def test_a_file_put_by_hand_is_found_by_its_name(tmp_path, monkeypatch, file, name):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    (tmp_path / "swin_t.safetensors").mkdir()
    (tmp_path / file).write_bytes(b"")
    assert local_imagenet() == ((name,) if name else ())
    if name:
        assert local_file(name) == tmp_path / file
        entry = next(entry for entry in catalogue(torchvision=True) if entry.name == name)
        assert (entry.available, entry.where, entry.bytes) == (True, tmp_path / file, 0)


def test_the_published_file_comes_before_others(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    for file in ("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "resnet50-a.safetensors"):
        (tmp_path / file).write_bytes(b"")
    assert local_file("torchvision:resnet50") == tmp_path / "resnet50-11ad3fa6.pth"


def test_the_file_names_known_without_torchvision_are_torchvisions():
    for architecture, file in TORCHVISION_FILES.items():
        remote = remote_weights(f"torchvision:{architecture}")
        assert remote.url == get_model_weights(architecture).DEFAULT.url
        assert remote.url.endswith(f"/{file}")
        assert file.removesuffix(".pth").endswith(f"-{remote.digest}")
