"""What README says of the bundled classifiers is what their cards say."""

from __future__ import annotations

import re
from pathlib import Path

from explorer.classifiers.catalogue import bundled

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(?P<name>[a-z0-9_-]+)` \| (?P<training>[^|]+) \|(?P<cells>.+)\|$", re.MULTILINE
)
CELL = re.compile(
    r"(?:(?:(?P<attack>APGD), )?ε = (?P<epsilon>[\d.]+): |clean: )"
    r"(?P<accuracy>[\d.]+) \((?P<low>[\d.]+) to (?P<high>[\d.]+)\)"
)


def test_the_table_is_what_the_cards_measured():
    rows = {row["name"]: row for row in ROW.finditer(README)}
    assert tuple(rows) == tuple(bundled())
    for name, row in rows.items():
        card = bundled()[name]
        assert row["training"].strip() == card.training
        said = {
            (cell["attack"] or "PGD", float(cell["epsilon"] or 0)): tuple(
                float(cell[key]) for key in ("accuracy", "low", "high")
            )
            for cell in CELL.finditer(row["cells"])
        }
        measured = {
            (a.attack, a.epsilon): tuple(round(100 * v, 1) for v in (a.accuracy, a.low, a.high))
            for a in card.accuracy
        }
        assert said == measured


def test_both_commands_are_marked_for_ci():
    for name, ending in (("app", "streamlit run explorer/Home.py"), ("tests", "python -m pytest")):
        block = README.split(f"<!-- ci: {name} -->\n```sh\n")[1].split("```")[0]
        assert block.strip().endswith(ending)
        assert len(block.strip().splitlines()) == 1


def test_nothing_in_it_waits_to_be_filled_in():
    assert not re.search(r"@@|TODO|TBD|FIXME", README)
