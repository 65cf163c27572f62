"""timm's models: their preprocessing, a person's weights, the Hub, and what is said without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save, save_file
from timm.data import create_transform, resolve_model_data_config

from explorer.classifiers import ClassifierError, load
from explorer.images.geometry import preprocess
from tests.imports import ROOT

SMALL = ("mobilenetv3_small_050", "resnet10t", "vit_tiny_patch16_224", "convnext_atto")


def photograph():
    rough = np.random.default_rng(3).integers(0, 256, (43, 57, 3), dtype=np.uint8)
    return Image.fromarray(rough).resize((400, 301), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("name", SMALL)
def test_logits_and_preprocessing_are_timms(tmp_path, name):
    module = timm.create_model(name).eval()
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    classifier = load(f"timm:{name}", tmp_path / "w.safetensors", "cpu")
    transform = create_transform(**resolve_model_data_config(module))
    pixels = preprocess(photograph(), classifier)[None]
    expected = transform(photograph())[None]
    torch.testing.assert_close(classifier.normalised(pixels), expected, rtol=0, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(classifier(pixels), module(expected), rtol=1e-3, atol=1e-3)
    assert (classifier.labels[388], classifier.name) == ("giant panda", f"timm:{name}")


def test_weights_with_other_classes_and_around_them_a_training_program(tmp_path):
    state = timm.create_model("resnet10t", num_classes=7).state_dict()
    content = {"state_dict": {f"model.{name}": value for name, value in state.items()}, "epoch": 3}
    torch.save(content, tmp_path / "w.ckpt")
    classifier = load("timm:resnet10t", tmp_path / "w.ckpt", "cpu")
    assert classifier.labels == tuple(f"class {index}" for index in range(7))


def test_labels_of_the_larger_imagenet(tmp_path):
    name = "mobilenetv3_large_100.miil_in21k"
    torch.save(timm.create_model(name).state_dict(), tmp_path / "w.pt")
    labels = load(f"timm:{name}", tmp_path / "w.pt", "cpu").labels
    assert len(labels) == 11221
    assert any("giant panda" in label for label in labels)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm:resnet1888", "timm has no model 'resnet1888'; did you mean resnet18"),
        ("timm:", "timm has no model ''"),
        ("timm:resnet18.nope", r"no weights 'nope' of resnet18; it has a1_in1k, .*tv_in1k"),
        ("timm:resnet10t.c3_in1k", "the weights do not fit timm:resnet10t.c3_in1k"),
    ],
)
def test_names_that_timm_does_not_know_and_weights_that_do_not_fit(tmp_path, name, words):
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(ClassifierError, match=words):
        load(name, tmp_path / "w.pt", "cpu")


def hub(files: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    """A server that answers as the Hub does, with one commit of each file."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(False)

        def do_GET(self):
            self.answer(True)

        def answer(self, body):
            content = files.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            if content is None:
                self.send_header("X-Error-Code", "EntryNotFound")
            else:
                self.send_header("ETag", f'"{len(content):040x}"')
                self.send_header("X-Repo-Commit", "0" * 40)
            self.end_headers()
            if body and content is not None:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    return Hub


PROGRAM = """
import sys, torch
from explorer.classifiers import ClassifierError, load
assert "timm" not in sys.modules and "huggingface_hub" not in sys.modules
for name in sys.argv[1:]:
    try:
        model = load(name, device="cpu")
        total = float(sum(each.sum() for each in model.parameters()))
        print(name, model.labels[-1], model.input_size, total)
    except ClassifierError as error:
        print(name, error)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """The lines of the program with a server, and later without one, and the weights' sum."""
    cache = tmp_path_factory.mktemp("hub")
    module = timm.create_model("resnet10t")
    custom = timm.create_model("resnet10t", num_classes=3)
    configuration = {
        "architecture": "resnet10t",
        "num_classes": 3,
        "label_names": ["ant", "bee", "cow"],
        "pretrained_cfg": {"input_size": [3, 96, 96], "classifier": "fc", "num_classes": 3},
    }
    files = {
        "/timm/resnet10t.c3_in1k/resolve/main/model.safetensors": save(module.state_dict()),
        "/me/mine/resolve/main/model.safetensors": save(custom.state_dict()),
        "/me/mine/resolve/main/config.json": json.dumps(configuration).encode(),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), hub(files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(cache)}

    def lines(*names):
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM, *names],
            cwd=ROOT,
            env={**os.environ, **environment, "HF_HUB_DISABLE_XET": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr[-2000:]
        return result.stdout.splitlines()

    online = lines("timm:resnet10t", "timm:hf-hub:me/mine", "timm:hf-hub:me/none")
    server.shutdown()
    server.server_close()
    offline = lines("timm:resnet10t", "timm:hf-hub:me/mine", "timm:resnet18")
    return online, offline, float(sum(each.detach().sum() for each in module.parameters()))


def test_published_weights_come_from_the_hub(answers):
    online, _, total = answers
    assert online[0].startswith("timm:resnet10t toilet tissue (176, 176) ")
    assert float(online[0].split()[-1]) == pytest.approx(total, rel=1e-4)
    assert online[1].startswith("timm:hf-hub:me/mine cow (96, 96) ")
    assert online[2].startswith("timm:hf-hub:me/none the published weights of timm:hf-hub:me/none")


def test_without_a_network_the_cache_is_used_at_once_or_the_sentence_is_said(answers):
    online, offline, _ = answers
    assert offline[:2] == online[:2]
    assert "are not on this machine, and http://127.0.0.1:" in offline[2]
    assert "--weights takes any file" in offline[2]
