"""``doctor``: the machine, the forms of the classifiers, and what ``--tune`` keeps."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch

from explorer.classifiers.catalogue import bundled_cards
from explorer.cli import checks
from explorer.cli.checks import Check
from explorer.engine import measurement
from tests.cli.running import run

MODEL = ("--model", "cifar10-standard", "--device", "cpu")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    for name in ("MIN_ROUNDS", "MAX_ROUNDS"):
        monkeypatch.setattr(measurement, name, 1)
    monkeypatch.setattr(checks, "STEPS", 2)  # of the attack that each doctor times


def test_it_shows_the_machine_and_every_bundled_classifier(capsys, tmp_path):
    status, out, err = run(capsys, "doctor", "--device", "cpu")
    assert status == 0, err
    lines = [line.split() for line in out.splitlines() if line]
    assert ["torch", torch.__version__] in lines
    (folder,) = [line for line in lines if line[:2] == ["cache", "folder"]]
    assert folder[2:4] == ["ok", f"{tmp_path},"]
    assert "2 steps on efficientnet_lite0 take" in out
    forms = {line[0]: line[1] for line in lines}
    assert {forms[name] for name in bundled_cards()} <= {"float32", "folded", "bfloat16"}


def test_what_is_measured_is_the_choice_until_it_is_forgotten(capsys, tmp_path):
    status, out, err = run(capsys, "doctor", "--tune", "--json", *MODEL)
    assert status == 0, err
    (measured,) = json.loads(out)["models"]
    assert measured["reason"] == "measured here by doctor --tune"
    assert set(measured["milliseconds"]["float32"]) == {"1", "8"}
    _, out, _ = run(capsys, "doctor", "--json", *MODEL)
    (later,) = json.loads(out)["models"]
    assert (later["precision"], later["reason"]) == (measured["precision"], measured["reason"])
    assert later["autograd"] == ([] if later["precision"] != "float32" else ["the whole network"])
    _, out, err = run(capsys, "doctor", "--forget", "--json", *MODEL)
    assert "forgot 1 measured classifier\n" in err
    assert "doctor" not in json.loads(out)["models"][0]["reason"]
    assert not list((tmp_path / "tuning").iterdir())


def test_the_times_are_part_of_the_text(capsys):
    status, out, err = run(capsys, "doctor", "--tune", *MODEL)
    assert status == 0, err
    assert " ms for 1 and 8 images" in out.splitlines()[-1]
    assert out.splitlines()[-1].strip().startswith("float32 ")


def test_the_words_for_the_forms_are_explained_before_the_classifiers(capsys):
    status, out, _ = run(capsys, "doctor", "--forget", *MODEL)
    assert status == 0
    explanation, last = out.index("bfloat16, a copy in float32 (folded)"), out.rindex(MODEL[1])
    assert explanation < last


def test_the_setting_is_the_reason(capsys, monkeypatch):
    monkeypatch.setenv("EXPLORER_PRECISION", "folded")
    _, out, _ = run(capsys, "doctor", *MODEL)
    assert out.splitlines()[-1].split(maxsplit=2)[1:] == ["folded", "EXPLORER_PRECISION says so"]


def test_a_mistake_is_one_line(capsys):
    for arguments, words in (
        (("--tune", "--forget"), "exclude each other"),
        (("--model", "cifar10-zebra"), "there is no classifier"),
    ):
        status, out, err = run(capsys, "doctor", *arguments)
        assert (status, out) == (2, "")
        assert words in err
        assert len(err.strip().splitlines()) == 1


def test_a_fault_is_the_status(capsys, monkeypatch):
    monkeypatch.setattr(checks, "_speed", lambda device: Check("attack", False, "too slow"))
    monkeypatch.setattr(checks, "_package_problems", lambda: iter(["zebra is missing"]))
    status, out, _ = run(capsys, "doctor", *MODEL)
    assert status == 1
    lines = [line.split() for line in out.splitlines() if line]
    assert ["attack", "FAULT", "too", "slow"] in lines
    assert ["packages", "FAULT", "zebra", "is", "missing"] in lines
    status, out, _ = run(capsys, "doctor", "--json", *MODEL)
    values = json.loads(out)["checks"]
    assert status == 1
    assert {"name": "attack", "ok": False, "text": "too slow"} in values
    assert [each["ok"] for each in values if each["name"] == "mode"] == [True]
    assert not any(each["name"] == "network" for each in values)  # nothing is asked unless wanted


def test_packages_that_are_missing_or_of_another_version(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "RESOURCES", tmp_path)
    (tmp_path / "requirements.txt").write_text(
        "# a comment\ntorch>=2  # networks\nzebra==1.0\nnumpy==0.1\nlion==2; python_version < '3'\n"
    )
    missing, other = checks._package_problems()
    assert missing == "zebra is missing: pip install 'zebra==1.0'"
    assert other.endswith("pip install 'numpy==0.1'")


def test_a_folder_that_cannot_be_used(monkeypatch, tmp_path):
    assert checks._folder("cache", lambda: tmp_path / "new" / "deeper").ok

    def refuse(**options):
        raise PermissionError(13, "Permission denied")

    little = SimpleNamespace(free=5 * 10**8)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: little)
    check = checks._folder("weights", lambda: tmp_path)
    assert (check.ok, "0.5 GB free" in check.text) == (False, True)
    monkeypatch.setattr(checks.tempfile, "TemporaryFile", refuse)
    check = checks._folder("weights", lambda: tmp_path)
    assert not check.ok
    assert check.text.endswith("Permission denied; EXPLORER_WEIGHTS names another")


@pytest.mark.parametrize(
    ("mode", "address", "words"),
    [
        ("", "", "local, by the address: the app would listen on 127.0.0.1"),
        ("", "0.0.0.0", "public, by the address: the app would listen on 0.0.0.0"),
        ("public", "", "public, EXPLORER_MODE says so"),
        ("local", "10.0.0.1", "local, EXPLORER_MODE says so"),
    ],
)
def test_the_mode_and_the_address(monkeypatch, mode, address, words):
    monkeypatch.setenv("EXPLORER_MODE", mode)
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", address)
    assert words in checks._mode().text


def test_a_device_that_disagrees_is_a_fault(monkeypatch):
    devices = [torch.device("cpu"), torch.device("xpu", 0)]
    monkeypatch.setattr(checks, "all_devices", lambda: devices)
    monkeypatch.setattr(checks, "tried", lambda model, device: (model, f"{device} disagrees"))
    assert [(each.name, each.ok) for each in checks._devices()] == [
        ("device cpu", True),
        ("device xpu:0", False),
    ]
    monkeypatch.setattr(checks, "tried", lambda model, device: (model, None))
    assert [each.text for each in checks._devices()][1] == "agrees with the CPU"


def test_the_network_is_tried_where_that_is_wanted(monkeypatch):
    asked = []

    def refuse(address, timeout):
        asked.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(checks.socket, "create_connection", refuse)
    check = checks._network()
    assert (check.ok, asked[0][1]) == (False, 443)
    assert "can't be reached (Connection refused); download beforehand" in check.text
