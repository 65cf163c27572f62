"""The READMEs agree with the data, the files and the commands that they describe."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from explorer.__main__ import _parser
from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.packaged import EFFICIENTNET, packaged_card
from explorer.experiments.one_image.recipe import parse_number
from explorer.settings import SETTINGS
from tests.benchmarks.table import table

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATHS = (
    "README.md",
    "explorer/README.md",
    "explorer/RUNNING.md",
    "assets/classifiers/README.md",
    "tests/benchmarks/README.md",
)
TEXTS = {path: (ROOT / path).read_text(encoding="utf-8") for path in PATHS}
ROW = re.compile(
    r"^\| `(?P<name>[a-z0-9_-]+)` \| (?P<training>[^|]+) \|(?P<cells>.+)\|$", re.MULTILINE
)
CELL = re.compile(
    r"(?:(?:(?P<attack>APGD), )?ε = (?P<epsilon>[\d./]+): |clean: )"
    r"(?P<accuracy>[\d.]+) \((?P<low>[\d.]+) to (?P<high>[\d.]+)\)"
)
COMMAND = re.compile(r"-m explorer ((?:.*\\\n)*.*)")
LINK = re.compile(r"\]\(([^)#:]*)(?:#([\w-]+))?\)")
PATH = re.compile(r"`((?:explorer|pages|assets|tests|ui|cli|figures)/[\w/.-]+)`")


def test_the_accuracies_are_those_of_the_cards():
    rows = {row["name"]: row for row in ROW.finditer(TEXTS["assets/classifiers/README.md"])}
    cards = {**bundled_cards(), EFFICIENTNET: packaged_card()}
    assert tuple(rows) == tuple(cards)
    for name, row in rows.items():
        card = cards[name]
        assert row["training"].strip() == card.training
        in_readme = {
            (cell["attack"] or "PGD", parse_number(cell["epsilon"] or "0")): tuple(
                float(cell[key]) for key in ("accuracy", "low", "high")
            )
            for cell in CELL.finditer(row["cells"])
        }
        measured = {
            (a.attack, a.epsilon): tuple(round(100 * v, 1) for v in (a.accuracy, a.low, a.high))
            for a in card.accuracy
        }
        assert in_readme == measured


def speed_rows() -> list[list[str]]:
    section = TEXTS["tests/benchmarks/README.md"].split("\n## ")[1]  # the first one
    lines = section.splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return [rows[0], *rows[2:]]


def test_the_table_of_speed_has_the_columns_that_its_program_writes():
    libraries = ("torchattacks", "foolbox", "art", "autoattack", "adversarial-library")
    case = {
        "model": "tiny12-standard",
        "batch": 1,
        "setting": {"steps": 10},
        "share_of_peak": 0.5,
        "measured": [
            {"name": name, "seconds": [0.1], "ratio": [1, 2, 3]} for name in ("ours", *libraries)
        ],
    }
    written = table([{"machine": {"threads": 1}, "cases": [case]}])
    header, _, row = (line.strip("| ").split(" | ") for line in written.splitlines())
    assert speed_rows()[0] == header
    assert all(len(each) == len(row) for each in speed_rows())


def test_the_sentences_on_speed_are_those_of_the_table():
    header, *rows = speed_rows()
    ratios = [float(row[header.index("torchattacks")]) for row in rows]
    assert f"{min(ratios):.1f} to {max(ratios):.1f}\n  times that of torchattacks" in README
    peaks: dict[int, list[int]] = {}
    for row in rows:
        batch = int(re.search(r", (\d+)", row[0])[1])
        peaks.setdefault(batch, []).append(int(row[3].removesuffix(" %")))
    text = " ".join(TEXTS["tests/benchmarks/README.md"].split())
    for batch in (1, 8):
        assert f"{min(peaks[batch])} to {max(peaks[batch])} %" in text


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_both_commands_are_marked_for_ci():
    for name, ending in (
        ("app", "streamlit run explorer/Home.py"),
        ("tests", "python -m pytest -n 3"),
    ):
        block = README.split(f"<!-- ci: {name} -->\n```sh\n")[1].split("```")[0]
        assert block.strip().endswith(ending)
        assert len(block.strip().splitlines()) == 1


@pytest.mark.parametrize("path", PATHS)
def test_links_and_paths_exist(path):
    text, folder = TEXTS[path], (ROOT / path).parent
    for target, heading in LINK.findall(text):
        file = folder / target if target else ROOT / path
        assert file.exists(), target
        assert not heading or f"\n## {heading}\n" in file.read_text(encoding="utf-8").lower()
    for name in PATH.findall(text.replace("NAME", "datasets")):
        assert (ROOT / name).exists() or (ROOT / "explorer" / name).exists(), name


@pytest.mark.parametrize("path", PATHS)
def test_commands_have_the_options_that_exist(path):
    commands = COMMAND.findall(TEXTS[path])
    assert commands or path == "explorer/README.md"
    for command in commands:
        _parser().parse_args(shlex.split(command.replace("\\\n", ""), comments=True))


def test_the_settings_are_those_that_the_code_reads():
    name = re.compile(r"EXPLORER_[A-Z_]+")
    modules = ROOT.glob("explorer/**/*.py")
    read = {each for path in modules for each in name.findall(path.read_text(encoding="utf-8"))}
    described = re.findall(r"^\| `(EXPLORER_[A-Z_]+)`", TEXTS["explorer/README.md"], re.MULTILINE)
    assert set(described) == read == {setting.name for setting in SETTINGS}


def test_the_python_example_runs():
    code = README.split("```python\n")[1].split("```")[0]
    names: dict = {}
    exec(code, names)
    assert names["result"].success.shape == (8,)


def test_nothing_waits_to_be_filled_in():
    for text in TEXTS.values():
        assert not re.search(r"@@|TODO|TBD|FIXME", text)
