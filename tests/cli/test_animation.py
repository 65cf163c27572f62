"""``attack --animation``: files that move, of the steps and of ε."""

from __future__ import annotations

from PIL import Image

from explorer.cli import animation as module
from tests.cli.running import run

QUICK = ["--model", "cifar10-standard", "--epsilon", "8/255", "--steps", "5", "--device", "cpu"]


def attack(capsys, out, *more):
    return run(capsys, "attack", "gallery:cifar10-00", *QUICK, "--out", str(out), *more)


def test_a_file_of_the_steps_for_each_format(capsys, tmp_path):
    status, _, err = attack(capsys, tmp_path, "--animation", "webp", "png")
    assert status == 0, err
    for name in ("animation.webp", "animation.png"):
        assert Image.open(tmp_path / name).n_frames == 6
    assert not (tmp_path / "animation.gif").exists()


def test_a_file_of_the_values_of_epsilon(capsys, tmp_path):
    moving = ["--animation", "gif", "--animate", "epsilon", "--fgsm"]
    status, _, err = attack(capsys, tmp_path, *moving, "--steps", "1")
    assert status == 0, err
    assert Image.open(tmp_path / "animation.gif").n_frames >= 19


def test_too_many_frames_are_one_sentence(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "frames_fit", lambda *_: False)
    status, _, err = attack(capsys, tmp_path, "--animation", "gif")
    assert status == 2
    assert "--animate epsilon" in err
    assert not list(tmp_path.iterdir())
