"""A person's Python file that imports its neighbours."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest
import torch

from explorer.classifiers import ClassifierError, load
from explorer.classifiers.user_code import run_file
from explorer.errors import failure_of_user_code

MAIN = """
import helper
from parts.head import head
from explorer.classifiers import Classifier

def make():
    from late import SIZE
    net = helper.Net(head())
    return Classifier(net, labels=helper.LABELS, input_size=(SIZE, SIZE))

def late_again():
    import helper
    return helper.LABELS
"""
HELPER = """
import json
from dataclasses import dataclass
from torch import nn
import constants as names
import parts.head

LABELS = names.LABELS

@dataclass
class Settings:
    classes: "int" = 3

class Net(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.body = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
        assert parts.head.head is not None and Settings().classes == 3
    def forward(self, images):
        import later
        return self.body(images) + later.ZERO
"""


def write(folder, labels):
    (folder / "parts").mkdir(parents=True)
    files = {
        "my-models.py": MAIN,
        "helper.py": HELPER,
        "constants.py": f"LABELS = {labels!r}\n",
        "late.py": "SIZE = 4\n",
        "later.py": "ZERO = 0\n",
        "json.py": "raise RuntimeError('the standard library comes first')\n",
        "parts/__init__.py": "",
        "parts/head.py": "from .layers import head\n",
        "parts/layers.py": "from torch import nn\ndef head():\n    return nn.Linear(3, 3)\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder / "my-models.py"


@pytest.fixture
def two(tmp_path):
    return [write(tmp_path / each, [each + str(index) for index in range(3)]) for each in "ab"]


def test_neighbours_are_imported_and_each_folder_has_its_own(two):
    before = list(sys.path)
    first, second = (load(f"{path}:make", device="cpu") for path in two)
    assert (first.labels[0], second.labels[0]) == ("a0", "b0")
    assert first(torch.rand(1, 3, 4, 4)).shape == (1, 3)  # its forward pass imports a neighbour
    assert sys.path == before
    assert not {"helper", "constants", "late", "later", "parts"} & sys.modules.keys()
    assert copy.deepcopy(first.module).body is not first.module.body
    assert type(pickle.loads(pickle.dumps(first.module))) is type(first.module)


def test_a_later_import_in_a_function_finds_the_own_neighbour(two):
    modules = [run_file(path) for path in two]
    assert [module.late_again()[0] for module in modules] == ["a0", "b0"]


def test_an_edited_neighbour_is_read_anew(two):
    path = two[0]
    assert load(f"{path}:make", device="cpu").labels[0] == "a0"
    (path.parent / "constants.py").write_text("LABELS = ['new', 'newer', 'the newest']\n")
    assert load(f"{path}:make", device="cpu").labels[0] == "new"


def test_a_file_is_run_as_it_is_and_nothing_is_written_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "two.py"
    for number in (1, 2):  # in the same second, of the same length
        path.write_text(f"import beside\nnumber = {number}, beside.number\n")
        (tmp_path / "beside.py").write_text(f"number = {number}\n")
        assert run_file(path).number == (number, number)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["beside.py", "two.py"]


def test_other_code_does_not_see_the_neighbours(two):
    load(f"{two[0]}:make", device="cpu")
    with pytest.raises(ModuleNotFoundError):
        __import__("helper")


def test_beside_a_checkout_the_program_is_itself(two):
    package = two[0].parent / "explorer"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('a second copy')\n")
    assert load(f"{two[0]}:make", device="cpu").labels[0] == "a0"


def test_a_neighbour_that_fails_is_one_sentence_and_known_as_the_persons_code(two):
    (two[0].parent / "helper.py").write_text("import no_such_module\n")
    with pytest.raises(
        ClassifierError, match=r"make failed: ModuleNotFoundError: No module named"
    ) as e:
        load(f"{two[0]}:make", device="cpu")
    words = failure_of_user_code(e.value.__cause__)
    assert words is not None
    assert words.startswith("helper.py failed in line 1")
