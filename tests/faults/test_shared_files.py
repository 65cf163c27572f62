"""Files that others put, replace or remove, and two processes that work on the same ones."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v3_small

from explorer.classifiers import ClassifierError, catalogue, load
from explorer.classifiers.cache import ModelCache
from explorer.classifiers.catalogue import BUNDLED_FOLDER
from explorer.classifiers.downloads import local_imagenet
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models, user_entries
from explorer.fetch import FetchError, Remote, fetch
from explorer.ui.shared import classifiers as shared_classifiers
from tests.cli.running import ROOT, run
from tests.fetch.serving import DATA, SHA, Server

CARD = UserModelCard("mine", "mobilenet_v3_small", ("a", "b"), input_size=32, resize=32)


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


FOREIGN = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a dangling link": dangling,
    "an empty file": Path.touch,
    "a picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "half a file": lambda path: path.write_bytes(
        (BUNDLED_FOLDER / "cifar10-standard.safetensors").read_bytes()[:1000]
    ),
}


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cache", "weights"):
        monkeypatch.setenv(f"EXPLORER_{name.upper()}", str(tmp_path / name))
        (tmp_path / name).mkdir()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("user") / "w.safetensors"
    torch.manual_seed(0)
    save_file(mobilenet_v3_small(weights=None, num_classes=2).state_dict(), path)
    return path


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_among_the_weights_is_one_sentence(
    capsys, tmp_path: Path, kind: str, suffix: str
) -> None:
    path = tmp_path / "weights" / f"resnet18{suffix}"
    FOREIGN[kind](path)
    (tmp_path / "weights" / ".resnet18.pth.lock").touch()
    (tmp_path / "weights" / "notes.txt").touch()
    catalogue(torchvision=True)
    assert local_imagenet() == (("torchvision:resnet18",) if path.is_file() else ())
    command = ["attack", "gallery:panda", "--model", "torchvision:resnet18", "--epsilon", "1/255"]
    status, out, err = run(capsys, *command, "--out", str(tmp_path / "out"), "--weights", str(path))
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert path.name in err


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_among_the_added_models_is_left_out(
    tmp_path: Path, weights: Path, kind: str
) -> None:
    models = machine_models()
    models.add(CARD, weights)
    folder = tmp_path / "cache" / "classifiers"
    for name in ("card", "weights"):
        (folder / name).mkdir()
        (folder / name / "classifier.json").write_text(replace(CARD, name=name).to_json())
        (folder / name / "weights.safetensors").write_bytes(weights.read_bytes())
        (folder / name / "more.txt").touch()
    (folder / "card" / "classifier.json").unlink()
    FOREIGN[kind](folder / "card" / "classifier.json")
    (folder / "weights" / "weights.safetensors").unlink()
    FOREIGN[kind](folder / "weights" / "weights.safetensors")
    FOREIGN[kind](folder / "other")
    names = [entry.name for entry in user_entries()]
    assert [name for name in names if name != "user:weights"] == ["user:mine"]
    assert load("user:mine").labels == ("a", "b")
    with pytest.raises(ClassifierError):
        load("user:weights")


@pytest.mark.parametrize("suffix", ["", ".part", ".part.version"])
@pytest.mark.parametrize("kind", ["a folder", "a pipe"])
def test_what_is_in_the_way_of_a_download_is_named(
    server: Server, tmp_path: Path, kind: str, suffix: str
) -> None:
    path = tmp_path / "weights" / "w.pth"
    obstacle = path.with_name(path.name + suffix)
    FOREIGN[kind](obstacle)
    with pytest.raises(FetchError, match=rf"{obstacle} is in the way: it is no file; remove it"):
        fetch(Remote(server.url, digest=SHA), path)
    assert server.requests == []
    obstacle.unlink() if kind == "a pipe" else obstacle.rmdir()
    fetch(Remote(server.url, digest=SHA), path)
    assert path.read_bytes() == DATA


FETCH = (
    "import sys, pathlib\nfrom explorer.fetch import Remote, fetch\n"
    "print('ready', flush=True); sys.stdin.readline()\n"
    "fetch(Remote(sys.argv[1], digest=sys.argv[2]), pathlib.Path(sys.argv[3]))\n"
)


def test_two_servers_fetch_a_file_once(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "weights" / "w.pth"
    command = [sys.executable, "-c", FETCH, server.url, SHA, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.communicate("go\n")
        assert process.returncode == 0
    assert (path.read_bytes(), server.requests) == (DATA, ["all"])
    assert [file.name for file in path.parent.iterdir()] == ["w.pth"]


def test_a_download_that_was_killed_continues(server: Server, tmp_path: Path) -> None:
    def half(handler: object) -> None:
        server.answer, server.breaks_after = None, [len(DATA) // 2]
        server.reply(handler)
        server.released.wait(20)

    server.answer = half
    path = tmp_path / "weights" / "w.pth"
    command = [sys.executable, "-c", FETCH, server.url, SHA, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"go\n")
    process.stdin.flush()
    part = path.with_name("w.pth.part")
    while not part.exists() or not part.stat().st_size:
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert not path.exists()
    arrived = part.stat().st_size
    fetch(Remote(server.url, digest=SHA), path)
    assert (path.read_bytes(), server.requests[-1]) == (DATA, f"bytes={arrived}-")
    assert [file.name for file in path.parent.iterdir()] == ["w.pth"]


def test_of_two_servers_one_adds_a_model_and_one_removes_it(weights: Path) -> None:
    outcomes: list[str] = []

    def attempt(action: str) -> None:
        try:
            if action == "add":
                machine_models().add(CARD, weights)
            else:
                machine_models().remove("mine")
            outcomes.append(action)
        except ClassifierError as error:
            outcomes.append(str(error))

    for action, words in (("add", "already a classifier"), ("remove", "there is no classifier")):
        threads = [threading.Thread(target=attempt, args=(action,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done, refused = sorted(outcomes, key=lambda text: text != action)
        assert done == action
        assert words in refused
        outcomes.clear()
    assert list(machine_models().folder.iterdir()) == []


def test_a_model_is_never_half_removed(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a process that is killed while it deletes the files."""
    models = machine_models()
    models.add(CARD, weights)
    monkeypatch.setattr("explorer.leftovers._remove", lambda path: None)
    models.remove("mine")
    assert models.cards() == {}
    monkeypatch.undo()
    models.add(CARD, weights)
    assert [path.name for path in models.folder.iterdir()] == ["mine"]


def test_weights_that_are_replaced_while_they_are_read_are_read_again(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_models().add(CARD, weights)
    (entry,) = user_entries()
    before = load(entry.name).digest
    other = tmp_path / "other.safetensors"
    torch.manual_seed(1)
    save_file(mobilenet_v3_small(weights=None, num_classes=2).state_dict(), other)
    read = []

    def load_then_replace(name: str) -> object:
        model = load(name)
        read.append(model.digest)
        if len(read) == 1:
            status = entry.where.stat()
            os.replace(other, entry.where)
            os.utime(entry.where, ns=(status.st_atime_ns, status.st_mtime_ns))
        return model

    monkeypatch.setattr(shared_classifiers, "load", load_then_replace)
    monkeypatch.setattr(shared_classifiers, "MODEL_CACHE", ModelCache())
    model = shared_classifiers.classifier_of(entry)
    assert read == [before, model.digest]
    assert model.digest != before
    assert shared_classifiers.classifier_of(entry) is model
    entry.where.write_bytes(weights.read_bytes())  # in place, under the loaded model
    images = torch.rand(1, 3, 32, 32)
    assert torch.equal(model(images), model(images))
    assert shared_classifiers.classifier_of(entry).digest == before


def test_a_file_that_is_written_all_the_time_is_one_sentence(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_models().add(CARD, weights)
    (entry,) = user_entries()
    ticks = iter(range(100))
    monkeypatch.setattr(shared_classifiers, "_version", lambda entry: next(ticks))
    monkeypatch.setattr(shared_classifiers, "MODEL_CACHE", ModelCache())
    with pytest.raises(ClassifierError, match="changes all the time; try again"):
        shared_classifiers.classifier_of(entry)
