"""Files of the corpus, in a process that a crash would end: 250, all kinds in equal numbers.

With ``EXPLORER_EVERY_LOOK=1`` they are a thousand; ``python -m tests.hostile`` reads any number.
"""

from __future__ import annotations

import re
import subprocess
import sys
from random import Random

import pytest

from tests import EVERY_LOOK
from tests.hostile.contract import KINDS, objection
from tests.hostile.weights import CANARY
from tests.imports import ROOT

COUNT = 1000 if EVERY_LOOK else 250


def test_files_give_a_value_or_a_sentence():
    command = [sys.executable, "-m", "tests.hostile", "--count", str(COUNT), "--seed", "14"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]
    assert f"{COUNT} files, 0 failures" in result.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_makes_the_same_files(kind, tmp_path, monkeypatch):
    monkeypatch.setenv(CANARY, str(tmp_path / "canary"))
    first, second = ([KINDS[kind].make(Random(f"1 {i}")) for i in range(5)] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("read", "seconds", "words"),
    [
        (lambda *_: {}["missing"], 60, "KeyError"),
        (lambda *_: sum(range(10**6)), 0, r"\d s$"),
        (lambda *_: bytearray(b"x") * 600_000_000, 60, "MiB"),
        (lambda _, folder: (folder / "canary").write_text("ran"), 60, "code of the file was run"),
    ],
)
def test_the_contract_objects(read, seconds, words, tmp_path, monkeypatch):
    monkeypatch.setenv(CANARY, str(tmp_path / "canary"))
    monkeypatch.setattr("tests.hostile.contract.SECONDS", seconds)
    problem = objection(read, None, tmp_path)
    assert problem is not None
    assert re.search(words, problem)
