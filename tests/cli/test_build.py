"""``build`` and ``export`` as a person runs them: killed and started again, under torchrun, and asked for what can't be."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from explorer.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
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

def _made(seed, head):
    torch.manual_seed(seed)
    body = [nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten()]
    return Classifier(nn.Sequential(*body, *head()), labels=["cat", "dog", "ship"], input_size=(8, 8))

def make():
    return _made(0, lambda: [nn.Linear(72, 3)])

def other():
    return _made(1, lambda: [nn.Linear(72, 3)])

def headless():
    return _made(0, lambda: [nn.Unflatten(1, (1, 72)), nn.Conv1d(1, 1, 70), nn.Flatten()])

def broken():
    raise RuntimeError("no weights today")
"""


def write(path, n, names=("cat", "dog", "ship")):
    arrays = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    cells = []
    for array in arrays:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "PNG")
        cells.append({"bytes": buffer.getvalue(), "path": None})
    info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    table = pa.table({"img": cells, "label": [index % 3 for index in range(n)]})
    pq.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps(info)} if names else {}), path
    )


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
    return [
        "build",
        "--set",
        construction,
        "--model",
        f"{place / 'models.py'}:{model}",
        "--data",
        str(place / data),
        "--out",
        str(out),
        "--steps",
        steps,
        "--precision",
        "float32",
        *more,
    ]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def undisturbed(place):
    assert main(arguments(place, place / "undisturbed")) == 0
    found = contents(place / "undisturbed")
    assert len(found) == 4 + 2
    return found


def test_killed_in_the_middle_it_goes_on_to_the_same_bytes(place, undisturbed, tmp_path):
    job = subprocess.Popen(
        [sys.executable, "-m", "explorer", *arguments(place, tmp_path)], cwd=ROOT, env=ENVIRONMENT
    )
    until = time.monotonic() + 120
    while not list(tmp_path.glob("data-*")) and time.monotonic() < until:
        time.sleep(0.002)
    job.send_signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    there = contents(tmp_path)
    assert 2 <= len(there) < 6  # the plan and some shards
    assert "manifest.json" not in there
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("data-*")}
    assert main(arguments(place, tmp_path)) == 0
    assert all(path.stat().st_mtime_ns == then for path, then in written.items())
    assert {
        name: data for name, data in contents(tmp_path).items() if not name.endswith(".part")
    } == undisturbed


def test_two_torchrun_processes_make_the_same_bytes(place, undisturbed, tmp_path):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "explorer",
    ]
    done = subprocess.run(
        [*command, *arguments(place, tmp_path)],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path) == undisturbed
    assert "rank 0 of 2" in done.stderr
    assert "rank 1 of 2: 700 of 700 images" in done.stderr


def sentence(capsys):
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err.strip().splitlines()[-1]


def test_json_and_progress(place, tmp_path, capsys):
    assert main(arguments(place, tmp_path / "a", "--json", data="few.parquet", steps="2")) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "set": "d_det",
        "rows": 30,
        "rank": 0,
        "complete": True,
        "out": str(tmp_path / "a"),
    }
    first, last = said.err.strip().splitlines()
    assert first.endswith("0 of 30 images")
    assert "30 of 30 images, " in last
    assert "images/s, 00:00 left" in last


def test_a_folder_of_another_job_is_refused(place, tmp_path, capsys):
    assert main(arguments(place, tmp_path, data="few.parquet", steps="2")) == 0
    before = contents(tmp_path)
    path = place / "same.py"  # another model under the name of the first
    for function, changes, words in (
        ("make", ("--seed", "1"), "the seed differ"),
        ("make", ("--epsilon", "0.25"), "the construction's parameters differ"),
        ("make", ("--limit", "10"), "the rows differ"),
        ("other", (), "the model and the model's weights differ"),
    ):
        assert (
            main(
                arguments(place, tmp_path, *changes, data="few.parquet", steps="2", model=function)
            )
            == 2
        )
        said = sentence(capsys)
        assert words in said
        assert "choose another folder with --out" in said
    assert contents(tmp_path) == before
    path.write_text(MODELS)
    named = arguments(place, tmp_path / "same", data="few.parquet", steps="2")
    named[named.index("--model") + 1] = f"{path}:make"
    assert main(named) == 0
    path.write_text(MODELS.replace("_made(0", "_made(2"))
    assert main(named) == 2
    assert "the model's weights differ" in sentence(capsys)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"more": ("--limit", "0")}, "--limit must be at least 1; it is 0"),
        ({"more": ("--step-size", "0")}, "the step size must be above 0"),
        ({"more": ("--epsilon", "-1")}, "epsilon must be above 0"),
        ({"more": ("--last-step-size", "0.1")}, "d_det is an attack with steps of one length"),
        (
            {"construction": "d_r", "more": ("--last-step-size", "1")},
            "at most the first (0.1); it is 1",
        ),
        ({"more": ("--start", "noise")}, "d_det begins at the image itself"),
        ({"construction": "d_r", "more": ("--epsilon", "1")}, "d_r has no epsilon"),
        ({"steps": "0"}, "steps must be from 1"),
        ({"model": "nowhere"}, "has no attribute 'nowhere'"),
        ({"model": "broken"}, "no weights today"),
        (
            {"model": "headless", "construction": "d_nr"},
            "no linear layer, nor a last convolution, whose input could serve",
        ),
        ({"data": "nowhere.parquet"}, "there is no file or folder"),
        ({"data": "zebras.parquet"}, "classes the classifier does not know, such as 'zebra'"),
        ({"data": "models.py"}, "is not a readable Parquet file"),
        ({"out": "models.py/below"}, "can't write into"),
        ({"out": "/proc/below"}, "can't write into"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:25],
)
def test_a_mistake_is_one_sentence(place, tmp_path, capsys, changes, words):
    write(place / "zebras.parquet", 3, ("zebra", "dog", "ship"))
    given = {"data": "few.parquet", "steps": "2", **changes}
    more, out = given.pop("more", ()), place / given.pop("out", tmp_path / "out")
    assert main(arguments(place, out, *more, **given)) == 2
    assert words in sentence(capsys)


def test_names_that_are_not_known_are_one_line(place, tmp_path, capsys):
    with pytest.raises(SystemExit) as refused:
        main(arguments(place, tmp_path, construction="d_q"))
    assert refused.value.code == 2
    assert "invalid choice: 'd_q'" in sentence(capsys)
    named = arguments(place, tmp_path)
    named[named.index("--model") + 1] = "cifar10-zebra"
    assert main(named) == 2
    assert "there is no classifier 'cifar10-zebra'" in sentence(capsys)


def test_data_without_class_names_is_counted_by_index(place, tmp_path):
    write(place / "unnamed.parquet", 12, ())
    assert main(arguments(place, tmp_path, data="unnamed.parquet", steps="1")) == 0
    assert json.loads((tmp_path / "plan.json").read_text())["classes"] == ["cat", "dog", "ship"]


def test_images_can_be_kept_out(place, tmp_path):
    write(place / "held-out.parquet", 5)  # the first five of the thirty
    assert (
        main(
            arguments(
                place,
                tmp_path / "a",
                "--without",
                str(place / "held-out.parquet"),
                data="few.parquet",
                steps="1",
            )
        )
        == 0
    )
    assert pq.read_table(tmp_path / "a" / "data-00000-of-00001.parquet")[
        "source_index"
    ].to_pylist() == list(range(5, 30))


def test_export_writes_what_can_be_read(place, undisturbed, tmp_path, capsys):
    for form in ("mit", "folder", "parquet"):
        command = [
            "export",
            "--set",
            str(place / "undisturbed"),
            "--to",
            form,
            "--out",
            str(tmp_path / form),
            "--limit",
            "20",
            "--json",
        ]
        assert main(command) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["set"], said["rows"]) == ("d_det", 20)
        assert main(command) == 2
        assert "is there already" in sentence(capsys)
    assert (
        main(
            [
                "export",
                "--set",
                str(tmp_path),
                "--to",
                "mit",
                "--out",
                str(tmp_path / "x"),
                "--limit",
                "0",
            ]
        )
        == 2
    )
    assert "--limit must be at least 1" in sentence(capsys)
