"""``build`` and ``export``: stopped and continued, under torchrun, and with mistakes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from explorer.__main__ import main
from tests.cli.running import ROOT, run

ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONPATH": str(ROOT),
}
MODELS = """
import torch
from torch import nn
from explorer.classifiers import Classifier

def _classifier(seed, head):
    torch.manual_seed(seed)
    body = [nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten()]
    module = nn.Sequential(*body, *head())
    return Classifier(module, labels=["cat", "dog", "ship"], input_size=(8, 8))

def make():
    return _classifier(0, lambda: [nn.Linear(72, 3)])

def other():
    return _classifier(1, lambda: [nn.Linear(72, 3)])

def headless():
    return _classifier(0, lambda: [nn.Unflatten(1, (1, 72)), nn.Conv1d(1, 1, 70), nn.Flatten()])

def broken():
    raise RuntimeError("no weights today")
"""


def write(path, n, names=("cat", "dog", "ship")):
    """A Parquet file of ``n`` random images, always the same ones."""
    arrays = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    cells = []
    for array in arrays:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "PNG")
        cells.append({"bytes": buffer.getvalue(), "path": None})
    info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    table = pa.table({"img": cells, "label": [index % 3 for index in range(n)]})
    metadata = {"huggingface": json.dumps(info)} if names else {}
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    (folder / "models.py").write_text(MODELS)
    write(folder / "images.parquet", 1700)
    write(folder / "few.parquet", 30)
    return folder


def arguments(
    place, out, *more, data="images.parquet", model="make", construction="d_det", steps="12"
):
    command = ["build", "--set", construction, "--model", f"{place / 'models.py'}:{model}"]
    command += ["--data", str(place / data), "--out", str(out), "--steps", steps]
    return [*command, "--precision", "float32", *more]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def uninterrupted(place):
    """The files of a build that was not stopped: four shards, the plan and the manifest."""
    assert main(arguments(place, place / "uninterrupted")) == 0
    files = contents(place / "uninterrupted")
    assert len(files) == 4 + 2
    return files


def test_a_killed_build_continues_to_the_same_bytes(place, uninterrupted, tmp_path):
    job = subprocess.Popen(
        [sys.executable, "-m", "explorer", *arguments(place, tmp_path)], cwd=ROOT, env=ENVIRONMENT
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("data-*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    job.send_signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    files = contents(tmp_path)
    assert 2 <= len(files) < 6  # the plan and some shards
    assert "manifest.json" not in files
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("data-*")}
    assert main(arguments(place, tmp_path)) == 0
    assert all(path.stat().st_mtime_ns == before for path, before in times.items())
    files = contents(tmp_path)
    assert {name: files[name] for name in files if not name.endswith(".part")} == uninterrupted


def test_two_torchrun_processes_make_the_same_bytes(place, uninterrupted, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "explorer", *arguments(place, tmp_path)]
    ended = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=240
    )
    assert ended.returncode == 0, ended.stderr
    assert contents(tmp_path) == uninterrupted
    assert "rank 0 of 2" in ended.stderr
    assert "rank 1 of 2: 700 of 700 images" in ended.stderr


def last_line(capsys):
    """The last line on standard error, which has no traceback."""
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err.strip().splitlines()[-1]


def test_json_and_progress(place, tmp_path, capsys):
    assert main(arguments(place, tmp_path / "a", "--json", data="few.parquet", steps="2")) == 0
    out, err = capsys.readouterr()
    values = {"set": "d_det", "rows": 30, "rank": 0, "complete": True, "out": str(tmp_path / "a")}
    assert json.loads(out) == values
    first, last = err.strip().splitlines()
    assert first.endswith("0 of 30 images")
    assert "30 of 30 images, " in last
    assert "images/s, 00:00 left" in last


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("make", ("--seed", "1"), "the seed differ"),
        ("make", ("--epsilon", "0.25"), "the construction's parameters differ"),
        ("make", ("--limit", "10"), "the rows differ"),
        ("other", (), "the model and the model's weights differ"),
    ],
)
def test_a_folder_of_another_build_is_refused(place, tmp_path, capsys, model, options, words):
    few = {"data": "few.parquet", "steps": "2"}
    assert main(arguments(place, tmp_path, **few)) == 0
    before = contents(tmp_path)
    assert main(arguments(place, tmp_path, *options, model=model, **few)) == 2
    line = last_line(capsys)
    assert words in line
    assert "choose another folder with --out" in line
    assert contents(tmp_path) == before


def test_another_model_under_the_same_name_is_refused(place, tmp_path, capsys):
    path = place / "same.py"
    path.write_text(MODELS)
    command = arguments(place, tmp_path, data="few.parquet", steps="2")
    command[command.index("--model") + 1] = f"{path}:make"
    assert main(command) == 0
    path.write_text(MODELS.replace("_classifier(0", "_classifier(2"))
    assert main(command) == 2
    assert "the model's weights differ" in last_line(capsys)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"more": ("--limit", "0")}, "--limit: it must be a whole number from 1"),
        ({"more": ("--step-size", "0")}, "the step size must be above 0"),
        ({"more": ("--epsilon", "-1")}, "epsilon must be above 0"),
        ({"more": ("--last-step-size", "0.1")}, "d_det is an attack with steps of one length"),
        (
            {"construction": "d_r", "more": ("--last-step-size", "1")},
            "at most the first (0.1); it is 1",
        ),
        ({"more": ("--start", "noise")}, "d_det begins at the image itself"),
        ({"construction": "d_r", "more": ("--epsilon", "1")}, "d_r has no epsilon"),
        ({"steps": "0"}, "a whole number from 1"),
        ({"model": "nowhere"}, "there is no function 'nowhere' in models.py"),
        ({"model": "broken"}, "no weights today"),
        (
            {"model": "headless", "construction": "d_nr"},
            "no linear layer, nor a last convolution, whose input could serve",
        ),
        ({"data": "nowhere.parquet"}, "there is no file or folder"),
        ({"data": "zebras.parquet"}, "classes the classifier does not know, such as 'zebra'"),
        ({"data": "models.py"}, "is not a Parquet file"),
        ({"out": "models.py/below"}, "can't write into"),
        ({"out": "/proc/below"}, "can't write into"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:25],
)
def test_a_mistake_is_one_line(place, tmp_path, capsys, changes, words):
    write(place / "zebras.parquet", 3, ("zebra", "dog", "ship"))
    options = {"data": "few.parquet", "steps": "2", **changes}
    more, out = options.pop("more", ()), place / options.pop("out", tmp_path / "out")
    status, _, err = run(capsys, *arguments(place, out, *more, **options))
    assert status == 2
    assert words in err.strip().splitlines()[-1]


def test_an_unknown_name_is_one_line(place, tmp_path, capsys):
    with pytest.raises(SystemExit) as refusal:
        main(arguments(place, tmp_path, construction="d_q"))
    assert refusal.value.code == 2
    assert "invalid choice: 'd_q'" in last_line(capsys)
    command = arguments(place, tmp_path)
    command[command.index("--model") + 1] = "cifar10-zebra"
    assert main(command) == 2
    assert "there is no classifier 'cifar10-zebra'" in last_line(capsys)


def test_a_rank_that_is_no_number_is_one_line(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "first")
    assert main(arguments(place, tmp_path, data="few.parquet")) == 2
    assert "RANK must be a whole number; it is 'first'" in last_line(capsys)


def test_data_without_class_names_is_counted_by_index(place, tmp_path):
    write(place / "unnamed.parquet", 12, ())
    assert main(arguments(place, tmp_path, data="unnamed.parquet", steps="1")) == 0
    assert json.loads((tmp_path / "plan.json").read_text())["classes"] == ["cat", "dog", "ship"]


def test_images_can_be_left_out(place, tmp_path):
    write(place / "held-out.parquet", 5)  # the first five of the thirty
    without = ("--without", str(place / "held-out.parquet"))
    assert main(arguments(place, tmp_path, *without, data="few.parquet", steps="1")) == 0
    table = pq.read_table(tmp_path / "data-00000-of-00001.parquet")
    assert table["source_index"].to_pylist() == list(range(5, 30))


@pytest.mark.parametrize("form", ["mit", "folder", "parquet"])
def test_an_export_is_written_once(place, uninterrupted, tmp_path, capsys, form):
    command = ["export", "--set", str(place / "uninterrupted"), "--to", form]
    command += ["--out", str(tmp_path / form), "--limit", "20", "--json"]
    assert main(command) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["set"], values["rows"]) == ("d_det", 20)
    assert main(command) == 2
    assert "is there already" in last_line(capsys)


def test_an_export_of_no_images_is_refused(tmp_path, capsys):
    command = ["export", "--set", str(tmp_path), "--to", "mit", "--out", str(tmp_path / "x")]
    status, _, err = run(capsys, *command, "--limit", "0")
    assert status == 2
    assert "--limit: it must be a whole number from 1" in err
