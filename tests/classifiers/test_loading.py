"""``load``: the kinds of names, weights that can't run code, one sentence for each mistake."""

from __future__ import annotations

import hashlib
import io
import pickle
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
from safetensors.torch import load_file, save_file

from explorer.classifiers import ClassifierError, downloads, load, loading
from explorer.classifiers.catalogue import BUNDLED_FOLDER, bundled_cards
from explorer.classifiers.downloads import fetch_weights
from explorer.classifiers.model_card import ModelCard
from explorer.errors import Cancelled
from explorer.fetch import Remote

NAMES = list(bundled_cards())
MAKER = """
from torch import nn
from explorer.classifiers import Classifier

def make():
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    return Classifier(net, labels=["a", "b"], input_size=(4, 4))

def wrong():
    return 3

def fails():
    raise RuntimeError("no such file of mine")
"""


@pytest.mark.parametrize("name", NAMES)
def test_bundled_classifiers_load_frozen_and_match_their_cards(name):
    classifier, card = load(name, device="cpu"), bundled_cards()[name]
    assert classifier.digest == card.weights_digest
    assert not classifier.module.training
    assert not any(p.requires_grad for p in classifier.module.parameters())
    assert classifier(torch.rand(2, 3, *card.input_size)).shape == (2, len(card.labels))
    assert (BUNDLED_FOLDER / f"{name}.safetensors").stat().st_size <= 8e6
    assert classifier.robust == name.endswith("robust")


def test_bundled_weights_must_have_the_digest_of_their_card(monkeypatch):
    card = replace(bundled_cards()["cifar10-d"], weights_digest="0" * 64)
    monkeypatch.setattr(loading, "bundled_cards", lambda: {card.name: card})
    with pytest.raises(ClassifierError, match=r"cifar10-d\.safetensors does not hold the weights"):
        load("cifar10-d", device="cpu")
    load("cifar10-d", BUNDLED_FOLDER / "cifar10-standard.safetensors", "cpu")


def test_a_torchvision_name_with_a_local_file(squeezenet):
    classifier = load("torchvision:squeezenet1_1", squeezenet, device="cpu")
    assert (classifier.input_size, classifier.resize) == ((224, 224), 256)
    assert classifier.labels[388] == "giant panda"
    assert classifier(torch.rand(1, 3, 224, 224)).shape == (1, 1000)


def test_a_prefixed_and_wrapped_pth_file_is_the_same_classifier(squeezenet, tmp_path):
    state = {f"module.{k}": v for k, v in load_file(squeezenet).items()}
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    assert (
        load("torchvision:squeezenet1_1", tmp_path / "w.pth", "cpu").digest
        == load("torchvision:squeezenet1_1", squeezenet, "cpu").digest
    )


def test_a_function_of_a_person(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MAKER)
    classifier = load(f"{file}:make", device="cpu")
    assert classifier.labels == ("a", "b")
    for name, words in (
        (f"{file}:wrong", "returned int"),
        (f"{file}:fails", "RuntimeError: no such file of mine"),
        (f"{file}:missing", "no function 'missing' in "),
        (f"{tmp_path / 'nowhere.py'}:make", "no file"),
    ):
        with pytest.raises(ClassifierError, match=words):
            load(name, device="cpu")


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


def damaged(folder, kind):
    good = BUNDLED_FOLDER / "cifar10-standard.safetensors"
    path = folder / ("w.safetensors" if "safetensors" in kind else "w.pth")
    if kind == "pickle bomb":
        path.write_bytes(pickle.dumps(Bomb()))
    elif kind == "torch bomb":
        torch.save({"a": Bomb()}, path)
    elif kind == "truncated safetensors":
        path.write_bytes(good.read_bytes()[:100_000])
    elif kind == "truncated pth":
        torch.save(load_file(good), path)
        path.write_bytes(path.read_bytes()[:100_000])
    elif kind == "text safetensors" or kind == "text":
        path.write_text("hello")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "list":
        torch.save([torch.zeros(2)], path)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pickle bomb", r"names builtins\.exec, with which a file runs programs"),
        ("torch bomb", r"names builtins\.exec, with which a file runs programs"),
        ("truncated safetensors", "truncated"),
        ("truncated pth", "truncated"),
        ("text safetensors", "is text, not weights"),
        ("text", "is text, not weights"),
        ("empty", "is empty"),
        ("list", "no state dict"),
    ],
)
def test_a_bad_weights_file_is_one_sentence(tmp_path, kind, words):
    with pytest.raises(ClassifierError, match=words) as error:
        load("cifar10-standard", damaged(tmp_path, kind), "cpu")
    assert "\n" not in str(error.value)


def test_weights_of_another_shape_or_architecture_are_named(tmp_path):
    state = load_file(BUNDLED_FOLDER / "cifar10-standard.safetensors")
    cases = {
        r"tensors are missing \(1, such as head.weight": {
            k: v for k, v in state.items() if k != "head.weight"
        },
        r"tensors of another shape \(1, such as head.weight": {
            **state,
            "head.weight": torch.zeros(3, 3),
        },
        r"does not know \(1, such as extra": {**state, "extra": torch.zeros(1)},
        "not finite": {**state, "head.weight": torch.full((10, 256), float("nan"))},
    }
    for words, changed in cases.items():
        save_file(changed, tmp_path / "w.safetensors")
        with pytest.raises(ClassifierError, match=words):
            load("cifar10-standard", tmp_path / "w.safetensors", "cpu")


@pytest.mark.parametrize(
    ("name", "weights", "words"),
    [
        ("cifar11", None, "'cifar11' .did you mean cifar10-d or .*bundled are efficientnet_lite0"),
        ("torchvision:squeezenet1_2", None, "did you mean squeezenet1_0 or squeezenet1_1"),
        ("torchvision:../squeezenet1_1", None, "torchvision has no classifier"),
        ("madry:resnet18", None, "those with madry: are resnet18_l2_eps3"),
        ("user:mine", "w.pth", "user:mine is stored with its own weights; leave --weights out"),
        ("cifar10-standard", "nowhere.safetensors", "no weights file nowhere.safetensors"),
    ],
)
def test_unknown_names_are_one_sentence(name, weights, words):
    with pytest.raises(ClassifierError, match=words):
        load(name, weights, "cpu")


def test_unknown_devices_are_one_sentence():
    with pytest.raises(ClassifierError, match="unknown device"):
        load("cifar10-standard", device="abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ClassifierError, match="no CUDA device"):
            load("cifar10-standard", device="cuda")


@pytest.mark.parametrize("text", ["{}", "[]", "5", '{"accuracy": [{}]}', "{"])
def test_a_file_that_is_no_model_card(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ClassifierError, match="not a readable model card"):
        ModelCard.read(tmp_path / "x.json")


@pytest.fixture
def publish(monkeypatch, tmp_path):
    """``publish(file, response)``: a server on this machine in place of torchvision's.

    ``response`` is the content of the weights file or an HTTP status.
    """
    responses: dict[str, bytes | int] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            response = responses.get(self.path, 404)
            self.send_response(response if isinstance(response, int) else 200)
            self.end_headers()
            if isinstance(response, bytes):
                self.wfile.write(response)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("EXPLORER_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))

    def publish(file, response):
        responses[f"/{file}"] = response
        remote = Remote(f"http://127.0.0.1:{server.server_port}/{file}", digest=file[-12:-4])
        monkeypatch.setattr(downloads, "remote_weights", lambda _: remote)

    yield publish
    server.shutdown()
    server.server_close()


def test_weights_are_fetched_once_and_checked_by_their_hash(publish, squeezenet, tmp_path):
    buffer = io.BytesIO()
    torch.save(load_file(squeezenet), buffer)
    data = buffer.getvalue()
    file = f"squeezenet1_1-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    publish(file, data)
    first = load("torchvision:squeezenet1_1", device="cpu")
    publish(file, 404)
    again = load("torchvision:squeezenet1_1", device="cpu")
    assert (
        first.digest == again.digest == load("torchvision:squeezenet1_1", squeezenet, "cpu").digest
    )
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == [file]


def test_a_fetch_reports_its_progress_and_can_be_cancelled(publish, tmp_path):
    data = bytes(100_000)
    file = f"squeezenet1_1-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    publish(file, data)
    progress = []
    with pytest.raises(Cancelled):
        fetch_weights("torchvision:squeezenet1_1", cancelled=lambda: True)
    path = fetch_weights("torchvision:squeezenet1_1", lambda done, total: progress.append(done))
    assert path == tmp_path / "cache" / "hub" / "checkpoints" / file
    assert (progress[-1], path.read_bytes()) == (100_000, data)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (404, r"answered 404 \(Not Found\)"),
        (500, "answered 500"),
        (b"x", r"is not squeezenet1_1-00000000\.pth \(its SHA-256 differs\)"),
    ],
)
def test_a_failed_fetch_is_one_sentence_and_leaves_nothing(publish, tmp_path, response, words):
    publish("squeezenet1_1-00000000.pth", response)
    with pytest.raises(ClassifierError, match=f"could not be fetched: .*{words}"):
        load("torchvision:squeezenet1_1", device="cpu")
    assert not any(path.is_file() for path in (tmp_path / "cache").rglob("*"))


def test_without_a_network_the_error_says_where_to_put_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path / "mine"))
    with socket.socket() as listener:  # a port on which nothing answers
        listener.bind(("127.0.0.1", 0))
        remote = Remote(f"http://127.0.0.1:{listener.getsockname()[1]}/resnet18-00000000.pth")
        monkeypatch.setattr(downloads, "remote_weights", lambda _: remote)
        words = (
            r"can't be reached .*; check the connection\. The file resnet18-00000000\.pth may also "
            r"be put into .*mine by hand$"
        )
        with pytest.raises(ClassifierError, match=words):
            load("torchvision:resnet18", device="cpu")
